//! Saves a second as bars, an SVG.

use std::fmt::Write as _;

use super::row::{Row, digits};

const LEFT: f64 = 130.0;
const WIDTH: f64 = 520.0;
const BAR: f64 = 16.0;

/// The colour of an adapter, of its bare library, and of other clients by turns.
const OURS: &str = "#2f6db5";
const BARE: &str = "#aebac8";
const OTHERS: [&str; 3] = ["#e08a2e", "#6a9a4b", "#8a63a8"];

/// What a panel shows, as the rows name it.
const PANELS: [(&str, &str); 2] =
    [("saves in sequence", "One after the other"), ("64 at once", "64 at once")];

/// What stands together: an adapter, its library, and who was beside it.
struct Group<'a> {
    adapter: &'a str,
    bars: Vec<(&'a str, f64)>,
}

/// The rates of each adapter, of its bare library, and of the clients that were beside it.
pub(super) fn saves(rows: &[Row]) -> String {
    let mut names = Vec::new();
    let mut body = String::new();
    let mut y = 84.0;
    for (kind, title) in PANELS {
        let groups = groups(rows, kind);
        let rates = groups.iter().flat_map(|group| group.bars.iter().map(|(_, rate)| *rate));
        let scale = WIDTH / rates.fold(1.0, f64::max);
        let _ = writeln!(body, "<text x=\"16\" y=\"{y:.0}\" font-weight=\"bold\">{title}</text>");
        y += 14.0;
        for Group { adapter, bars } in groups {
            let top = y;
            for (name, rate) in bars {
                let place = names.iter().position(|known| *known == name);
                let place = place.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                let (width, text) = (rate * scale, y + BAR - 4.0);
                let _ = writeln!(
                    body,
                    "<rect x=\"{LEFT:.0}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{BAR:.0}\" \
                     fill=\"{}\"/><text x=\"{:.1}\" y=\"{text:.0}\" font-size=\"11\">{}</text>",
                    colour(place),
                    LEFT + width + 6.0,
                    digits(rate),
                );
                y += BAR + 2.0;
            }
            let middle = f64::midpoint(top, y) + 3.0;
            let _ = writeln!(
                body,
                "<text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"end\">usage-{adapter}</text>",
                LEFT - 10.0
            );
            y += 10.0;
        }
        y += 26.0;
    }
    let (width, height) = (LEFT + WIDTH + 80.0, y - 22.0);
    let legend = legend(&names);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"#222\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">Saves a second</title>\n\
         <desc id=\"description\">Each adapter with what took turns with it in one run, over \
         loopback. The numbers are those of the table.</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\">Saves a second, over loopback</text>\n\
         {legend}{body}</svg>\n"
    )
}

/// The first name is ours, the second the library.
fn colour(place: usize) -> &'static str {
    match place {
        0 => OURS,
        1 => BARE,
        other => OTHERS[(other - 2) % OTHERS.len()],
    }
}

fn legend(names: &[&str]) -> String {
    let mut text = String::new();
    let mut x = 16.0;
    for (place, name) in names.iter().enumerate() {
        let (colour, name) = (colour(place), escaped(name));
        let _ = writeln!(
            text,
            "<rect x=\"{x:.0}\" y=\"42\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"52\">{name}</text>",
            x + 18.0
        );
        x += 40.0 + 7.0 * f64::from(u32::try_from(name.chars().count()).unwrap_or_default());
    }
    text
}

/// In the order of the rows.
fn groups<'a>(rows: &'a [Row], kind: &str) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for row in rows {
        let Some((who, what)) = row.what().split_once(": ") else { continue };
        let (Some(ours), Some(bare)) = (row.ours(), row.bare()) else { continue };
        if what != kind {
            continue;
        }
        match who.split_once(" beside ") {
            None => {
                let both = vec![("adapter", ours), ("its bare library", bare)];
                groups.push(Group { adapter: who, bars: both });
            }
            Some((adapter, other)) => {
                let group = groups.iter_mut().find(|group| group.adapter == adapter);
                if let Some(group) = group {
                    group.bars.push((other, bare));
                }
            }
        }
    }
    groups
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::row::Row;
    use super::saves;

    #[test]
    fn who_took_turns_stands_together() {
        let row = |what| format!(r#"{{"what":"{what}","unit":"1/s","ours":10,"bare":2000}}"#);
        let what = [
            "ureq: saves in sequence",
            "ureq beside a&lt;b: saves in sequence",
            "ureq: 64 at once",
        ];
        let mut rows: Vec<_> = what.map(row).map(|row| Row::from_json(&row).unwrap()).into();
        rows.push(Row::from_json(&row("ureq: instructions")).unwrap());
        let drawn = saves(&rows);
        // An adapter, its library and another client; in the other panel there was none.
        assert_eq!(drawn.matches("height=\"16\"").count(), 3 + 2, "{drawn}");
        assert_eq!(drawn.matches("usage-ureq").count(), 2, "{drawn}");
        assert_eq!(drawn.matches(">2,000<").count(), 3, "{drawn}");
        assert!(drawn.contains("a&amp;lt;b"), "{drawn}");
    }
}
