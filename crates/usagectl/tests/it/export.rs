//! `export`: from the database of a server that runs.

use serde_json::{Value, json};

use crate::serving::Serving;
use crate::usagectl::{Ran, example, run};

const DOCS: &str = include_str!("../../../../docs/export.md");

fn export(serving: &Serving, arguments: &[&str]) -> Ran {
    let database = serving.database();
    let database = ["--database", database.to_str().unwrap()];
    let ran = run(&["export"]).arguments(arguments).arguments(&database).done();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran
}

/// The lines behind the first one.
fn lines(serving: &Serving, arguments: &[&str]) -> Vec<Value> {
    let ran = export(serving, &[&["--format", "ndjson"], arguments].concat());
    let mut lines = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(lines.next(), Some(json!({"format": "usage-export", "version": 1})));
    lines.collect()
}

fn save(serving: &Serving, arguments: &[&str], body: &str) {
    let ran =
        run(&["save"]).arguments(arguments).arguments(&["-", "--url", &serving.url]).stdin(body);
    let ran = ran.done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

fn one_of_each(serving: &Serving) {
    save(serving, &["server"], example::SERVER);
    save(serving, &["stats", "--product", "influxdb"], example::STATS);
    save(serving, &["usage", "--product", "kapacitor"], example::USAGE);
}

#[test]
fn a_line_is_a_report() {
    let serving = Serving::start(&[]);
    one_of_each(&serving);
    let lines = lines(&serving, &[]);
    assert_eq!(lines.len(), 3);
    for (line, (kind, product, instance, body)) in lines.iter().zip([
        ("server", "influxdb", "serv1", example::SERVER),
        ("stats", "influxdb", "serv1", example::STATS),
        ("usage", "kapacitor", "1", example::USAGE),
    ]) {
        assert_eq!(line["kind"], kind);
        assert_eq!(line["product"], product);
        assert_eq!(line["instance"], instance);
        assert_eq!(line["organisation"], json!(null));
        assert_eq!(line["report"], serde_json::from_str::<Value>(body).unwrap());
        // No more and no less than is documented.
        let fields = line.as_object().unwrap().keys();
        assert!(fields.clone().all(|field| DOCS.contains(&format!("\n| `{field}` | "))), "{line}");
        assert_eq!(fields.count(), 7);
    }
    assert!(lines.windows(2).all(|two| two[0]["position"].as_i64() < two[1]["position"].as_i64()));
}

#[test]
fn the_example_of_the_documentation_is_a_line() {
    let serving = Serving::start(&[]);
    let token = run(&["tokens", "create", "Example Inc.", "--json"])
        .arguments(&["--database", serving.database().to_str().unwrap()])
        .done()
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let example = DOCS.lines().find(|line| line.starts_with("{\"position\"")).unwrap();
    let mut example: Value = serde_json::from_str(example).unwrap();
    let ran = run(&["save", "usage", "--product", "influxdb", "-", "--url", &serving.url])
        .env("USAGE_TOKEN", &token)
        .stdin(example["report"].to_string())
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = lines(&serving, &[]).remove(0);
    example["received_at"] = line["received_at"].clone();
    assert_eq!(line, example);
    let heads = DOCS.lines().filter(|line| line.starts_with("{\"format\""));
    assert_eq!(heads.count(), 1);
}

#[test]
fn an_export_selects_and_goes_on() {
    let serving = Serving::start(&[]);
    one_of_each(&serving);
    let kinds = |arguments: &[&str]| -> Vec<String> {
        let kind = |line: &Value| line["kind"].as_str().unwrap().to_owned();
        lines(&serving, arguments).iter().map(kind).collect()
    };
    assert_eq!(kinds(&["--kind", "stats"]), ["stats"]);
    assert_eq!(kinds(&["--product", "influxdb"]), ["server", "stats"]);
    assert_eq!(kinds(&["--since", "1h", "--product", "kapacitor"]), ["usage"]);
    assert_eq!(kinds(&["--since", "0s"]), [""; 0]);
    assert_eq!(kinds(&["--after", "1"]), ["stats", "usage"]);
    let last = lines(&serving, &[])[2]["position"].to_string();
    assert_eq!(kinds(&["--after", &last]), [""; 0]);
    save(&serving, &["server"], example::SERVER);
    assert_eq!(kinds(&["--after", &last]), ["server"]);

    for wrong in [&["--format", "xml"][..], &["--format", "csv", "--kind", "all"], &[]] {
        assert_eq!(run(&["export"]).arguments(wrong).done().code, Some(2), "{wrong:?}");
    }
}

#[test]
fn cells_are_quoted_and_named() {
    let serving = Serving::start(&[]);
    let server = r#"{"cluster_id":"a,b","server_id":"say \"so\"","host":"two\nlines","product":"p","version":"1"}"#;
    save(&serving, &["server"], server);
    save(&serving, &["usage", "--product", "p"], "[]");
    let ran = export(&serving, &["--format", "csv"]);
    let (head, rest) = ran.stdout.split_once("\r\n").unwrap();
    for column in head.split(',') {
        assert!(DOCS.contains(&format!("`{column}`")), "{column}");
    }
    assert!(
        rest.contains(
            ",server,p,,\"say \"\"so\"\"\",\"a,b\",\"say \"\"so\"\"\",\"two\nlines\",1,\r\n"
        ),
        "{rest}"
    );
    assert!(rest.ends_with(",usage,p,,,,,,,[]\r\n"), "{rest}");
    assert_eq!(head.split(',').count(), 12);
}
