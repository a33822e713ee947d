//! What is marked on the page, in its order.

const PAGE: &str = include_str!("../../../../../docs/operating.md");

/// A part of the page.
pub(super) struct Part {
    /// Whether it is about the second machine.
    pub(super) on_second: bool,
    pub(super) text: String,
    pub(super) what: What,
}

pub(super) enum What {
    /// A file at this path.
    File(String),
    /// Commands that need these programs.
    Run(Vec<String>),
}

/// Each block of commands has a mark.
pub(super) fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = PAGE.lines();
    let mut mark = None;
    while let Some(line) = lines.next() {
        if let Some(inner) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            mark = Some(inner);
            continue;
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let mut text = String::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            text.push_str(line);
            text.push('\n');
        }
        let mark = mark.take().unwrap_or_default();
        let (kind, rest) = mark.split_once(": ").unwrap_or((mark, ""));
        let (kind, on_second) = match kind.strip_suffix(" on second") {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let what = match kind {
            "file" => What::File(rest.to_owned()),
            "run" => What::Run(rest.split_whitespace().map(ToOwned::to_owned).collect()),
            _ => {
                assert!(language != "sh" || kind == "not run", "commands without a mark: {text}");
                continue;
            }
        };
        parts.push(Part { on_second, text, what });
    }
    parts
}
