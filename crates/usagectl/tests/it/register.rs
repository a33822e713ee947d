//! `register --print`.

use serde_json::json;

use crate::usagectl::run;

const ARGUMENTS: [&str; 6] =
    ["register", "--print", "--cluster-id", "clus1", "--product", "chronograf"];

/// W20: the original's own example.
#[test]
fn the_address_stands_alone_on_one_line() {
    let ran = run(&[&ARGUMENTS[..], &["--redirect-url", "http://example.com"]].concat()).done();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.stdout,
        "https://usage.influxdata.com/start?cluster_id=clus1&product=chronograf\
         &redirect_url=http%3A%2F%2Fexample.com\n",
    );
}

/// W3: the option comes before the variable, and a path prefix is kept.
#[test]
fn the_address_of_the_api_can_be_set() {
    let expected = "http://127.0.0.1:1/in/start?cluster_id=clus1&product=chronograf\n";
    let ran = run(&[&ARGUMENTS[..], &["--url", "http://127.0.0.1:1/in/"]].concat())
        .env("USAGE_URL", "https://usage.example")
        .done();
    assert_eq!(ran.stdout, expected);
    let ran = run(&ARGUMENTS).env("USAGE_URL", "http://127.0.0.1:1/in").done();
    assert_eq!(ran.stdout, expected);
}

#[test]
fn the_object_has_the_address() {
    let object = run(&[&ARGUMENTS[..], &["--json"]].concat()).done().json();
    assert_eq!(
        object,
        json!({"url": "https://usage.influxdata.com/start?cluster_id=clus1&product=chronograf"}),
    );
}

/// W21, W22.
#[test]
fn what_is_wrong_is_named() {
    let blame = |arguments: &[&str], field: &str| {
        let ran = run(&[arguments, &["--json"]].concat()).done();
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert_eq!(ran.json()["outcome"], "build");
        assert_eq!(ran.json()["field"], field);
    };
    blame(&["register", "--print", "--cluster-id", " ", "--product", "p"], "cluster_id");
    blame(&["register", "--print", "--cluster-id", "c", "--product", ""], "product");
    blame(&[&ARGUMENTS[..], &["--redirect-url", "javascript:alert(1)"]].concat(), "redirect_url");
    blame(&[&ARGUMENTS[..], &["--url", "https://user:pass@host"]].concat(), "url");
}
