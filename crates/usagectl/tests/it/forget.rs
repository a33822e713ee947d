//! `forget`: what a state has reported is erased.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::reporting::{Reporting, directory};
use crate::serving::Serving;
use crate::usagectl::{File, Ran, run};

/// A program that names the ids it is given.
const NUMBERS: &str = r#"printf '[{"values":{"server_id":"%s","cluster_id":"%s"}}]' "$USAGE_SERVER_ID" "$USAGE_CLUSTER_ID""#;

fn forget(state: &Path, arguments: &[&str]) -> Ran {
    let state = state.to_str().unwrap();
    run(&["forget", "--product", "influxdb", "--state", state]).arguments(arguments).done()
}

/// Reports until at least one report is stored.
fn report(url: &str, state: &Path, options: &[&str]) {
    let mut reporting = Reporting::start(url, state, &[&["--verbose"], options].concat(), NUMBERS);
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
}

#[test]
fn w57_what_was_reported_is_erased_and_the_identity_given_up() {
    let serving = Serving::start(&[]);
    let (directory, url) = (directory(), ["--url", &serving.url, "--json"]);
    let path = directory.path().join("usage.json");
    let nothing = forget(&path, &url);
    assert_eq!((nothing.code, nothing.json()), (Some(0), json!({"outcome": "nothing_to_forget"})));
    let server = File::new("server.json", r#"{"server_id":"0123456789abcdef"}"#);
    let retry = forget(&path, &[&url[..], &["--retry", "--server", &server.path()]].concat());
    assert_eq!((retry.code, retry.json()), (Some(0), json!({"outcome": "nothing_to_forget"})));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is made");

    report(&serving.url, &path, &[]);
    let state = fs::read_to_string(&path).unwrap();
    let stored = serving.store().usage().read_all().unwrap();
    let id = stored[0].instance.clone().unwrap();
    assert!(state.contains(&id), "{state}");
    // An explicit act, whatever the variables say.
    let ran = run(&["forget", "--product", "influxdb", "--state", path.to_str().unwrap()])
        .arguments(&url)
        .env("DO_NOT_TRACK", "1")
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json(), json!({"outcome": "forgotten", "reports": stored.len()}));
    assert_eq!(serving.store().usage().count(), 0);
    assert!(!fs::read_to_string(&path).unwrap().contains(&id));
    let last = run(&["status", "--last", "--state", path.to_str().unwrap()]).done();
    assert!(!last.stdout.contains(&id), "{last:?}");
    assert!(last.stdout.contains("no usage report was kept"), "{last:?}");
    let again = forget(&path, &["--url", &serving.url]);
    assert_eq!(again.code, Some(0));
    assert_eq!(again.stdout, "there is nothing to forget: nothing was sent\n");

    report(&serving.url, &path, &[]);
    assert_ne!(serving.store().usage().read_all().unwrap()[0].instance, Some(id));
}

#[test]
fn a_dry_run_shows_what_would_leave_and_does_nothing() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let token = File::new("token", "open-sesame-1234");
    let options = ["--dry-run", "--url", &serving.url, "--token-file", &token.path()];
    let ran = forget(&path, &options);
    assert_eq!(ran.stdout, "nothing would be sent: there is nothing to forget\n", "{ran:?}");
    let state = r#"{"version":1,"server_id":"0123456789abcdef","cluster_id":"c"}"#;
    fs::write(&path, state).unwrap();
    let ran = forget(&path, &options);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("POST /api/v1/forget/influxdb HTTP/1.1\r\n"), "{ran:?}");
    assert!(ran.stdout.contains("[redacted]") && !ran.stdout.contains("sesame"), "{ran:?}");
    let object = forget(&path, &[&options[..], &["--json"]].concat()).json();
    let body = r#"{"cluster_id":"c","server_id":"0123456789abcdef"}"#;
    assert_eq!(object["requests"][0]["body"], body);
    assert_eq!(fs::read_to_string(&path).unwrap(), state);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// Ids that a file names are not in the state.
#[test]
fn ids_of_a_file_are_forgotten_too() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let file = r#"{"cluster_id":"clus1","server_id":"0123456789abcdef","host":"h","version":"1"}"#;
    let file = File::new("server.json", file);
    let server = ["--server", &file.path()];
    report(&serving.url, &path, &server);
    let all = serving.store().reports(usage_server::Selection::new()).count();
    assert!(all >= 1);
    let options = [&server[..], &["--url", &serving.url, "--json"]].concat();
    let ran = forget(&path, &options);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json(), json!({"outcome": "forgotten", "reports": all}));
}

#[test]
fn what_is_not_reached_is_asked_again() {
    let serving = Serving::start(&["--fail", "503:1"]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    fs::write(&path, r#"{"version":1,"server_id":"0123456789abcdef","cluster_id":"c"}"#).unwrap();
    let url = ["--url", &serving.url, "--json"];
    let ran = forget(&path, &url);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let object = ran.json();
    assert_eq!(
        (&object["outcome"], &object["reason"]),
        (&json!("not_forgotten"), &json!("pending"))
    );
    assert!(object["message"].as_str().unwrap().contains("503"), "{object}");
    // At once only somebody who asks anew is heard.
    let ran = forget(&path, &[&url[..], &["--retry"]].concat());
    assert_eq!(ran.code, Some(4), "{ran:?}");
    // The words are those of the command: nothing asks by itself.
    let ran = forget(&path, &["--url", &serving.url, "--retry"]);
    assert!(ran.stderr.contains("--retry"), "{ran:?}");
    let ran = forget(&path, &url);
    assert_eq!((ran.code, &ran.json()["outcome"]), (Some(0), &json!("nothing_found")), "{ran:?}");
}

/// Until the API has erased what there was, `status` says so.
#[test]
fn a_wish_that_is_open_is_shown() {
    let directory = directory();
    let path = directory.path().join("usage.json");
    let status =
        |json: &[&str]| run(&["status", "--state", path.to_str().unwrap()]).arguments(json).done();
    let ids = json!([{"cluster_id": "c", "server_id": "0123456789abcdef"}]);
    for (fault, word, key, other) in [
        ("503:1", "to be forgotten  ", "to_be_forgotten", "not_forgotten"),
        ("404:1", "not forgotten  ", "not_forgotten", "to_be_forgotten"),
    ] {
        let state = r#"{"version":1,"server_id":"0123456789abcdef","cluster_id":"c"}"#;
        fs::write(&path, state).unwrap();
        let serving = Serving::start(&["--fail", fault]);
        assert_ne!(forget(&path, &["--url", &serving.url]).code, Some(0));
        let shown = status(&[]).stdout;
        let line = shown.lines().find(|line| line.starts_with(word));
        assert!(line.is_some_and(|line| line.contains("0123456789abcdef: ")), "{shown}");
        let object = status(&["--json"]).json();
        assert_eq!((&object["state"][key], &object["state"][other]), (&ids, &json!([])));

        assert_eq!(forget(&path, &["--url", &serving.url]).code, Some(0));
        assert!(!status(&[]).stdout.contains("forgotten"));
        assert_eq!(status(&["--json"]).json()["state"][key], json!([]));
    }
}

/// A command that does not print the ids it is given.
#[test]
fn what_names_no_ids_is_not_found_and_not_called_forgotten() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let numbers = r#"echo '[{"values":{"num_databases":3}}]'"#;
    let mut reporting = Reporting::start(&serving.url, &path, &["--verbose"], numbers);
    reporting.wait_for("delivered");
    reporting.stop();
    let stored = serving.store().usage().count();
    assert!(stored > 0);
    let ran = forget(&path, &["--url", &serving.url]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("nothing was found under these ids"), "{ran:?}");
    assert!(ran.stdout.contains("status --last") && !ran.stdout.contains("forgotten"), "{ran:?}");
    assert_eq!(serving.store().usage().count(), stored);
    // So that there is something to ask the maker with.
    assert!(path.with_extension("json.last").exists());
}

/// A token that the API does not know is an answer.
#[test]
fn a_refusal_is_told_apart_from_no_answer() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    fs::write(&path, r#"{"version":1,"server_id":"0123456789abcdef","cluster_id":"c"}"#).unwrap();
    let token = File::new("token", "a-token-of-nobody-at-all");
    let ran = forget(&path, &["--url", &serving.url, "--token-file", &token.path()]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("401") && ran.stderr.contains("--retry"), "{ran:?}");
    let nobody = testkit::scripted::Nobody::new();
    let ran = forget(&path, &["--url", &format!("http://{}", nobody.address())]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
}

#[test]
fn w47_an_api_that_cannot_forget_is_told_with_the_ids() {
    let serving = Serving::start(&["--fail", "404"]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    fs::write(&path, r#"{"version":1,"server_id":"0123456789abcdef","cluster_id":"c"}"#).unwrap();
    let ran = forget(&path, &["--url", &serving.url]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("cannot forget") && ran.stderr.contains("0123456789abcdef"));
    let object = forget(&path, &["--url", &serving.url, "--json"]).json();
    assert_eq!(object["reason"], "unsupported");
    assert_eq!(object["servers"], json!([{"cluster_id": "c", "server_id": "0123456789abcdef"}]));
}

#[test]
fn what_is_wrong_is_told_before_anything_is_given_up() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let path = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&serving.url, &path, &["--verbose"], NUMBERS);
    reporting.wait_for("delivered");
    let ran = forget(&path, &["--url", &serving.url]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("is in use"), "{}", ran.stderr);
    reporting.stop();
    let state = fs::read(&path).unwrap();
    let text = path.to_str().unwrap();
    for (arguments, code) in [
        (&["forget", "--state", text, "--product", "..", "--url", &serving.url][..], 5),
        (&["forget", "--state", text, "--url", &serving.url], 2),
        (&["forget", "--state", text, "--product", "p", "--token", "secret"], 2),
        (&["forget", "--state", text, "--product", "p", "--url", "nonsense"], 5),
    ] {
        let ran = run(arguments).done();
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), state);
}
