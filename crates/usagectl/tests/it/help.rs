//! The help texts: what a user looks for is there, and what they say is true.

use crate::usagectl::run;

const COMMANDS: [&str; 13] = [
    "demo", "serve", "save", "preview", "report", "status", "forget", "register", "tokens",
    "export", "erase", "summary", "database",
];

fn help(arguments: &[&str]) -> String {
    let ran = run(arguments).done();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    ran.stdout
}

#[test]
fn each_command_has_a_summary_in_the_overview() {
    let overview = help(&["--help"]);
    for command in COMMANDS {
        let summary = overview
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(command))
            .unwrap_or_else(|| panic!("{command} is in the overview"))
            .trim();
        assert!(help(&[command, "--help"]).starts_with(summary), "{command}: {summary}");
    }
    assert!(overview.contains("EXIT STATUS"));
    assert_eq!(help(&["--version"]), format!("usagectl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn each_command_has_its_sections() {
    for command in COMMANDS {
        let text = help(&[command, "--help"]);
        for section in ["Usage: usagectl", "EXAMPLES", "EXIT STATUS"] {
            assert!(text.contains(section), "{command} --help has no {section}");
        }
    }
    for command in ["save", "preview", "report", "forget", "register"] {
        let text = help(&[command, "--help"]);
        assert!(text.contains("ENVIRONMENT") && text.contains("USAGE_URL"), "{command}");
    }
    for command in ["save", "preview", "report", "forget"] {
        assert!(help(&[command, "--help"]).contains("USAGE_TOKEN"), "{command}");
    }
}

#[test]
fn lines_fit_a_terminal() {
    for command in COMMANDS {
        for line in help(&[command, "--help"]).lines() {
            assert!(line.chars().count() <= 92, "{command} --help: {line}");
        }
    }
}

/// What the variables hold is nobody's business.
#[test]
fn help_does_not_show_the_environment() {
    for command in COMMANDS {
        let ran = run(&[command, "--help"])
            .env("USAGE_URL", "https://hidden.example")
            .env("USAGE_TOKEN", "hidden-token")
            .done();
        assert!(!ran.stdout.contains("hidden"), "{command}: {}", ran.stdout);
    }
}

/// The examples of `preview` and `register` can be run as they stand, since they send nothing.
#[test]
fn the_examples_are_real() {
    use crate::usagectl::{File, example};

    let file = File::new("usage.json", example::USAGE);
    std::fs::write(file.directory().join("server.json"), example::SERVER).unwrap();
    let mut tried = 0;
    for command in ["preview", "register"] {
        let text = help(&[command, "--help"]).replace("\\\n", " ");
        let examples = text.lines().filter_map(|line| line.strip_prefix("  usagectl "));
        for example in examples.filter(|line| !line.contains('|')) {
            let arguments: Vec<&str> = example.split_whitespace().collect();
            let ran = run(&arguments).directory(file.directory()).done();
            assert_eq!(ran.code, Some(0), "{example}: {ran:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 4);
}
