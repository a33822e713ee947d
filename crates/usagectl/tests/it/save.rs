//! Reports from one process to a server in another.

use serde_json::json;
use usage_proto::{Server, Stats, StatsData, Usage, UsageData, Value};

use crate::serving::Serving;
use crate::usagectl::{File, example, run};

#[test]
fn the_original_examples_are_saved_and_stored() {
    let mut serving = Serving::start(&["--create-token", "Example Inc."]);
    let line = serving.line();
    let token = line.strip_prefix("token for \"Example Inc.\": ").unwrap();
    let token = File::new("token", format!("{token}\n"));
    let send = |kind: &str, product: &[&str], text: &str| {
        let file = File::new("body.json", text);
        let (file, token) = (file.path(), token.path());
        let options = ["--url", &serving.url, "--token-file", &token, "--json"];
        let arguments = [&["save", kind, &file][..], product, &options].concat();
        let ran = run(&arguments).done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    };

    let saved =
        |status| json!({"outcome": "saved", "status": status, "body": "{}", "complete": true});
    assert_eq!(send("server", &[], example::SERVER), saved(201));
    assert_eq!(send("stats", &["--product", "influxdb"], example::STATS), saved(200));
    assert_eq!(send("usage", &["--product", "influxdb"], example::USAGE), saved(201));

    let store = serving.store();
    let server = &store.servers().read_all().unwrap()[0];
    assert_eq!(server.organisation.as_deref(), Some("Example Inc."));
    assert_eq!(
        server.report,
        Server::new()
            .cluster_id("clus1")
            .server_id("serv1")
            .host("example.com")
            .product("influxdb")
            .version("1.0"),
    );
    assert_eq!(
        store.stats().read_all().unwrap()[0].report,
        Stats::new("influxdb").cluster_id("clus1").server_id("serv1").data(
            StatsData::new("engine")
                .tag("path", "/home/philip/.influxdb/data/_internal/monitor/1")
                .tag("version", "bz1")
                .value("blks_write", 39)
                .value("blks_write_bytes", 2421)
                .value("blks_write_bytes_c", 2202)
                .value("points_write", 39)
                .value("points_write_dedupe", 39),
        ),
    );
    assert_eq!(
        store.usage().read_all().unwrap()[0].report,
        Usage::new("influxdb").data(
            UsageData::new()
                .tag("version", "0.9.5")
                .tag("arch", "amd64")
                .tag("os", "linux")
                .value("cluster_id", "23423")
                .value("server_id", "1")
                .value("num_databases", 3)
                .value("num_measurements", 2342)
                .value("num_series", 87232),
        ),
    );
    drop(store);
    assert_eq!(serving.stop().code, Some(0));
}

/// W8: deployed servers send `null` for what is empty.
#[test]
fn what_a_deployed_influxdb_sends_is_saved_from_standard_input() {
    let serving = Serving::start(&[]);
    let ran = run(&["save", "usage", "--product", "influxdb", "-"])
        .env("USAGE_URL", &serving.url)
        .stdin(example::DEPLOYED)
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stderr, "");
    assert_eq!(
        ran.stdout,
        "saved, for no organisation: there was no token; the API answered 201 Created\n"
    );

    let rows = serving.store().usage().read_all().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].organisation, None);
    let data = &rows[0].report.data[0];
    assert!(data.tags.is_empty());
    assert_eq!(data.values.get("uptime"), Some(&Value::from(0.014_956_847)));
    assert_eq!(data.values.get("cluster_id"), Some(&Value::from("4042909480400749287")));
    assert_eq!(serving.stop().code, Some(0));
}

/// The address and the token may both come from the environment.
#[test]
fn a_token_from_the_environment_names_the_organisation() {
    let mut serving = Serving::start(&["--create-token", "Example Inc."]);
    let line = serving.line();
    let (_, token) = line.rsplit_once(' ').unwrap();
    let ran = run(&["save", "usage", "--product", "influxdb", "-"])
        .env("USAGE_URL", &serving.url)
        .env("USAGE_TOKEN", token)
        .stdin("[]")
        .done();
    assert_eq!(ran.stdout, "saved; the API answered 201 Created\n", "{ran:?}");
    let rows = serving.store().usage().read_all().unwrap();
    assert_eq!(rows[0].organisation.as_deref(), Some("Example Inc."));
}

/// A token may come from standard input, the report from a file then.
#[test]
fn a_token_from_standard_input_names_the_organisation() {
    let mut serving = Serving::start(&["--create-token", "Example Inc."]);
    let line = serving.line();
    let (_, token) = line.rsplit_once(' ').unwrap();
    let file = File::new("usage.json", "[]");
    let arguments = ["save", "usage", "--product", "p", &file.path(), "--token-file", "-"];
    let ran = run(&arguments)
        .env("USAGE_URL", &serving.url)
        // The option comes before the variable.
        .env("USAGE_TOKEN", "another-one")
        .stdin(format!("  {token}\r\n"))
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows = serving.store().usage().read_all().unwrap();
    assert_eq!(rows[0].organisation.as_deref(), Some("Example Inc."));
}

/// Who types `save` has decided: the variables are for what is sent without being asked for.
#[test]
fn a_save_is_an_explicit_act() {
    let serving = Serving::start(&[]);
    let ran = run(&["save", "usage", "--product", "p", "-", "--url", &serving.url])
        .env("DO_NOT_TRACK", "1")
        .env("USAGE_REPORTING", "off")
        .stdin("[]")
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(serving.store().usage().read_all().unwrap().len(), 1);
    let help = run(&["save", "--help"]).done().stdout;
    assert!(help.contains("To save is an explicit act: DO_NOT_TRACK"), "{help}");
}

/// Without an address a report goes to a server on this machine, and never to production.
#[test]
fn no_address_means_this_machine() {
    let file = File::new("usage.json", "[]");
    for command in ["preview", "save"] {
        let help = run(&[command, "--help"]).done().stdout;
        assert!(help.contains("http://127.0.0.1:7086"), "{help}");
    }
    let ran = run(&["preview", "usage", "--product", "p", &file.path(), "--json"]).done();
    assert_eq!(ran.json()["url"], "http://127.0.0.1:7086/api/v1/usage/p");
    let serve = run(&["serve", "--help"]).done().stdout;
    assert!(serve.contains("[default: 127.0.0.1:7086]"), "{serve}");
}

#[test]
fn the_option_names_the_product_of_a_server_whose_file_does_not() {
    let serving = Serving::start(&[]);
    let body = r#"{"cluster_id":"c","server_id":"s","host":"h","version":"1"}"#;
    let ran = run(&["save", "server", "-", "--product", "influxdb", "--url", &serving.url])
        .stdin(body)
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(serving.store().servers().read_all().unwrap()[0].report.product, "influxdb");
}
