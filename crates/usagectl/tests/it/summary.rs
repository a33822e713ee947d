//! `summary`: what the reports say together.

use serde_json::{Value, json};

use crate::serving::Serving;
use crate::usagectl::{Ran, example, run};

fn summary(serving: &Serving, arguments: &[&str]) -> Ran {
    let database = serving.database();
    let database = ["--database", database.to_str().unwrap()];
    let ran = run(&["summary"]).arguments(arguments).arguments(&database).done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

fn save(serving: &Serving, arguments: &[&str], body: &str) {
    let ran =
        run(&["save"]).arguments(arguments).arguments(&["-", "--url", &serving.url]).stdin(body);
    let ran = ran.done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

fn usage(serving: &Serving, product: &str, tags: &Value, values: &Value) {
    let body = json!([{"tags": tags, "values": values}]).to_string();
    save(serving, &["usage", "--product", product], &body);
}

#[test]
fn installations_are_counted_by_what_they_said_last() {
    let serving = Serving::start(&[]);
    assert!(summary(&serving, &[]).stdout.ends_with("nothing was reported\n"));
    save(&serving, &["server"], example::SERVER);
    save(&serving, &["stats", "--product", "influxdb"], example::STATS);
    for version in ["1.7", "1.8"] {
        let values = json!({"version": version, "os": "linux"});
        usage(&serving, "influxdb", &json!({"server_id": "serv1", "arch": "arm64"}), &values);
    }
    usage(&serving, "influxdb", &json!({"version": "1.8"}), &json!({"cluster_id": 42}));
    usage(&serving, "influxdb", &json!({"os": "linux"}), &json!({}));
    usage(&serving, "chronograf-ng", &json!({}), &json!({"cluster_id": "drawn"}));

    let object = summary(&serving, &["--json", "--since", "1h"]).json();
    let products = object["products"].as_array().unwrap();
    assert_eq!(products.len(), 2);
    assert_eq!(
        products[1],
        json!({
            "product": "influxdb", "reports": {"server": 1, "stats": 1, "usage": 4},
            "active": 2, "new": 2, "ids_are_stable": true, "without_id": 1,
            "versions": {"top": [{"name": "1.8", "instances": 2}], "others": 0, "unknown": 0},
            "os": {"top": [{"name": "linux", "instances": 1}], "others": 0, "unknown": 1},
            "arch": {"top": [{"name": "arm64", "instances": 1}], "others": 0, "unknown": 1},
        })
    );
    assert_eq!(products[0]["ids_are_stable"], false);
    let one = summary(&serving, &["--json", "--product", "chronograf-ng"]).json();
    assert_eq!(one["products"].as_array().unwrap().len(), 1);

    let text = summary(&serving, &[]).stdout;
    for part in
        ["influxdb\n", "1 server, 1 stats, 4 usage", "2 instances, 2 new", "100 %", "1 start (each"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Before 1970 there is nothing, and no panic.
#[test]
fn a_time_before_1970_is_refused_by_each_command() {
    let serving = Serving::start(&[]);
    let database = serving.database();
    for early in ["30000d", "1960-01-01", "99999999999y"] {
        for command in [
            &["summary", "--since", early][..],
            &["summary", "--json", "--since", early],
            &["export", "--format", "csv", "--since", early],
            &["erase", "--before", early],
        ] {
            let ran = run(command).arguments(&["--database", database.to_str().unwrap()]).done();
            assert_eq!(ran.code, Some(2), "{command:?}: {ran:?}");
        }
    }
}

/// Who reported before is not new.
#[test]
fn an_installation_is_new_once() {
    let serving = Serving::start(&[]);
    save(&serving, &["server"], example::SERVER);
    let before = serving.store().servers().next().unwrap().unwrap().received_at;
    save(&serving, &["server"], example::SERVER);
    save(&serving, &["server"], &example::SERVER.replace("serv1", "serv2"));
    let since = serving.store().servers().nth(1).unwrap().unwrap().received_at;
    assert!(before < since);
    let object = summary(&serving, &["--json", "--since", &since]).json();
    assert_eq!(
        (&object["products"][0]["active"], &object["products"][0]["new"]),
        (&json!(2), &json!(1))
    );
}

/// What a server has refused is there once it has stopped, whatever the product was.
#[test]
fn refusals_are_counted_by_reason() {
    let serving = Serving::start(&[]);
    for _ in 0..3 {
        let ran = run(&["save", "server", "-", "--url", &serving.url])
            .env("USAGE_TOKEN", "a-token-of-nobody")
            .stdin(example::SERVER);
        assert_eq!(ran.done().code, Some(3));
    }
    let ran = run(&["save", "server", "-", "--url", &serving.url])
        .stdin(example::SERVER.replace("serv1", ""));
    assert_eq!(ran.done().code, Some(3));
    let directory = serving.keep();
    let database = directory.path().join("usage.db");
    let database = ["--database", database.to_str().unwrap()];
    let object = run(&["summary", "--json"]).arguments(&database).done().json();
    let refused = &object["refused"];
    assert_eq!(refused["requests"], json!(4), "{object}");
    assert_eq!(refused["reasons"], json!({"unknown_token": 3, "field": 1}));
    assert_eq!(refused["since"].as_str().unwrap().len(), "2026-11-27".len());
    let text = run(&["summary", "--product", "p"]).arguments(&database).done().stdout;
    for line in [
        "of all products: 4 requests\n",
        "  unknown_token  3  75 %\n",
        "  field          1  25 %\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_a_sender_names_steers_no_terminal() {
    let serving = Serving::start(&[]);
    usage(&serving, "p\u{9b}31m", &json!({"os": "\u{1b}[31mred"}), &json!({"server_id": "s"}));
    let text = summary(&serving, &[]).stdout;
    assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text:?}");
}
