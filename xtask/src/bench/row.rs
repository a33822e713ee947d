//! One line of a table, as the benches print it.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What `testkit::bench::Row` is as JSON.
#[derive(Clone, Debug)]
pub(super) struct Row(Value);

impl Row {
    pub(super) fn from_json(line: &str) -> Result<Self, String> {
        let row = serde_json::from_str(line).map(Self);
        let row = row.map_err(|error| format!("a bench printed `{line}`: {error}"))?;
        if row.what().is_empty() || (row.ours().is_none() && row.missing().is_none()) {
            return Err(format!("a bench printed `{line}`, which has no name or no figure"));
        }
        Ok(row)
    }

    /// A figure of this program's own, beside one that it is measured against.
    pub(super) fn new(what: &str, unit: &str, ours: f64, bare: f64) -> Self {
        Self(
            json!({ "what": what, "unit": unit, "ours": ours, "bare": bare, "ratio": ours / bare }),
        )
    }

    /// A figure that is to stay below a bound.
    pub(super) fn bounded(what: &str, unit: &str, ours: f64, bound: f64) -> Self {
        Self(json!({ "what": what, "unit": unit, "ours": ours, "target": bound }))
    }

    pub(super) fn as_json(&self) -> &Value {
        &self.0
    }

    pub(super) fn what(&self) -> &str {
        self.0["what"].as_str().unwrap_or_default()
    }

    pub(super) fn ours(&self) -> Option<f64> {
        self.0["ours"].as_f64()
    }

    pub(super) fn bare(&self) -> Option<f64> {
        self.0["bare"].as_f64()
    }

    /// Why there is no figure.
    fn missing(&self) -> Option<&str> {
        self.0["missing"].as_str()
    }

    fn unit(&self) -> &str {
        self.0["unit"].as_str().unwrap_or_default()
    }

    /// What it was, what it was measured against, their ratio, and the bound.
    fn cells(&self) -> [String; 5] {
        let figure = |value: Option<f64>| match value {
            Some(value) => format!("{} {}", digits(value), self.unit()),
            None => String::new(),
        };
        let more_is_better = self.unit() == "1/s";
        let bound = match self.0["target"].as_f64() {
            Some(bound) if more_is_better => format!("at least {bound}"),
            Some(bound) => format!("at most {bound}"),
            None => String::new(),
        };
        let ratio =
            self.0["ratio"].as_f64().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let ours = match self.missing() {
            Some(why) => format!("not measured: {}", why.lines().next().unwrap_or_default()),
            None => figure(self.ours()),
        };
        [self.what().to_owned(), ours, figure(self.bare()), ratio, bound]
    }
}

/// A figure in whole numbers, with commas between thousands; below ten with one digit more.
pub(super) fn digits(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let whole = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const HEAD: [&str; 5] = ["what", "ours", "bare", "ratio", "bound"];

/// For a terminal.
pub(super) fn table(rows: &[Row]) -> String {
    let cells = [HEAD.map(str::to_owned)].into_iter().chain(rows.iter().map(Row::cells));
    cells.fold(String::new(), |mut text, [what, ours, bare, ratio, bound]| {
        let _ = writeln!(text, "{what:66} {ours:>16} {bare:>16} {ratio:>6}  {bound}");
        text
    })
}

/// For a page.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = format!("| {} |\n|---|---:|---:|---:|---|\n", HEAD.join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.cells().join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Row, digits, markdown};

    #[test]
    fn thousands_stand_apart() {
        let cases =
            [(0.25, "0.2"), (9.5, "9.5"), (10.0, "10"), (999.0, "999"), (46945.4, "46,945")];
        for (value, text) in cases.into_iter().chain([(1_234_567.0, "1,234,567")]) {
            assert_eq!(digits(value), text);
        }
    }

    #[test]
    fn a_row_is_read_and_shown() {
        let json =
            r#"{"what":"saves","unit":"1/s","ours":1200.0,"bare":1000.0,"ratio":1.2,"target":0.9}"#;
        let row = Row::from_json(json).unwrap();
        let shown = markdown(&[row]);
        assert!(
            shown.ends_with("| saves | 1,200 1/s | 1,000 1/s | 1.20 | at least 0.9 |\n"),
            "{shown}"
        );
        let missing = r#"{"what":"x","unit":"1/s","missing":"no such program","target":3}"#;
        let shown = markdown(&[Row::from_json(missing).unwrap()]);
        assert!(
            shown.ends_with("| x | not measured: no such program |  |  | at least 3 |\n"),
            "{shown}"
        );
        for wrong in ["", "{}", r#"{"what":"x"}"#, r#"{"ours":1}"#, r#"{"missing":"y"}"#] {
            assert!(Row::from_json(wrong).is_err(), "{wrong}");
        }
    }
}
