//! `erase`, and `serve --keep`: what goes from the database of a server that runs.

use serde_json::{Value, json};

use crate::serving::Serving;
use crate::usagectl::{Ran, example, run};

fn erase(serving: &Serving, arguments: &[&str]) -> Ran {
    let database = serving.database();
    run(&["erase"])
        .arguments(arguments)
        .arguments(&["--database", database.to_str().unwrap()])
        .done()
}

fn object(serving: &Serving, arguments: &[&str]) -> Value {
    let ran = erase(serving, &[arguments, &["--json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}

fn save(serving: &Serving, arguments: &[&str], body: &str) {
    let ran =
        run(&["save"]).arguments(arguments).arguments(&["-", "--url", &serving.url]).stdin(body);
    let ran = ran.done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn an_instance_is_counted_and_then_erased() {
    let serving = Serving::start(&[]);
    save(&serving, &["server"], example::SERVER);
    save(&serving, &["stats", "--product", "influxdb"], example::STATS);
    save(&serving, &["usage", "--product", "influxdb"], example::USAGE);
    save(&serving, &["usage", "--product", "influxdb"], example::DEPLOYED);
    let dry = erase(&serving, &["--instance", "serv1", "--dry-run"]);
    assert_eq!((dry.code, dry.stdout.as_str()), (Some(0), "would be erased: 2 reports\n"));
    assert_eq!(
        object(&serving, &["--instance", "serv1", "--dry-run"]),
        json!({"outcome": "counted", "reports": 2, "tokens": 0})
    );
    assert_eq!(
        object(&serving, &["--instance", "serv1", "--instance", "4042909480400749287"]),
        json!({"outcome": "erased", "reports": 3, "tokens": 0})
    );
    let ran = erase(&serving, &["--instance", "1"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "erased: 1 report\n"), "{ran:?}");
    // The server goes on.
    save(&serving, &["server"], example::SERVER);
    assert_eq!(object(&serving, &["--before", "1d"])["reports"], 0);
    assert_eq!(object(&serving, &["--before", "0s"])["reports"], 1);
}

#[test]
fn an_organisation_is_erased() {
    let serving = Serving::start(&["--create-token", "Example Inc."]);
    let ran = erase(&serving, &["--organisation", "Example Inc."]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "erased: 0 reports, 1 token\n"));
    let ran = erase(&serving, &["--organisation", "Example Inc."]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for wrong in [&[][..], &["--instance", " "], &["--instance", "a", "--before", "1d"]] {
        assert_eq!(erase(&serving, wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_server_says_how_long_it_keeps_what() {
    let mut forever = Serving::start(&[]);
    forever.wait_for_log("keeping all reports for ever");
    let mut some = Serving::start(&["--keep", "usage=400d,stats=30d,servers=forever"]);
    some.wait_for_log("keeping reports: servers=forever,stats=");
    for wrong in ["usage", "usage=0s", "reports=1d", "keys=1d"] {
        let ran = run(&["serve", "--keep", wrong]).done();
        assert_eq!(ran.code, Some(2), "{wrong}: {ran:?}");
    }
}
