//! Saves a second as bars, an SVG.

use std::fmt::Write as _;

use super::row::Row;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 460.0;
const BAR: f64 = 18.0;

/// Each row of an adapter's saves, with that of the bare library below it.
pub(super) fn saves(rows: &[Row]) -> String {
    let mut bars = Vec::new();
    for row in
        rows.iter().filter(|row| row.what().contains("saves") || row.what().contains("at once"))
    {
        if let Some(ours) = row.ours() {
            bars.push((row.what().to_owned(), ours, "#3b6fb6"));
        }
        if let Some(bare) = row.bare() {
            bars.push(("the bare library".to_owned(), bare, "#a9b4c2"));
        }
    }
    let most = bars.iter().map(|(_, rate, _)| *rate).fold(1.0, f64::max);
    let mut body = String::new();
    let mut y = 40.0;
    for (index, (name, rate, colour)) in bars.iter().enumerate() {
        // An adapter and its library stand together.
        y += if index > 0 && index % 2 == 0 { 14.0 } else { 4.0 };
        let width = WIDTH * rate / most;
        let text = y + BAR - 5.0;
        let _ = writeln!(
            body,
            "<text x=\"{:.0}\" y=\"{text:.0}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{LEFT:.0}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{BAR:.0}\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"{text:.0}\">{rate:.0}</text>",
            LEFT - 8.0,
            LEFT + width + 6.0,
        );
        y += BAR;
    }
    let (width, height) = (LEFT + WIDTH + 80.0, y + 20.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\">Saves a second, over loopback</text>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::row::Row;
    use super::saves;

    #[test]
    fn a_rate_and_its_bare_one_are_bars() {
        let row = |what| format!(r#"{{"what":"{what}","unit":"1/s","ours":10,"bare":20}}"#);
        let rows = ["ureq: saves in sequence", "something else"].map(row);
        let rows = rows.map(|row| Row::from_json(&row).unwrap());
        let drawn = saves(&rows);
        assert_eq!(drawn.matches("<rect x=").count(), 2, "{drawn}");
        assert!(drawn.contains("ureq: saves in sequence") && !drawn.contains("something else"));
    }
}
