//! `tokens`: on the database of a server that runs.

use serde_json::{Value, json};

use crate::serving::Serving;
use crate::usagectl::{File, Ran, run};

fn tokens(serving: &Serving, arguments: &[&str]) -> Ran {
    let database = serving.database();
    run(&["tokens"])
        .arguments(arguments)
        .arguments(&["--database", database.to_str().unwrap()])
        .done()
}

fn object(serving: &Serving, arguments: &[&str]) -> Value {
    let ran = tokens(serving, &[arguments, &["--json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}

fn create(serving: &Serving, organisation: &str) -> String {
    object(serving, &["create", organisation])["token"].as_str().unwrap().to_owned()
}

fn save(serving: &Serving, token: &str) -> Option<i32> {
    run(&["save", "usage", "--product", "p", "-", "--url", &serving.url])
        .env("USAGE_TOKEN", token)
        .stdin("[]")
        .done()
        .code
}

#[test]
fn a_token_is_shown_when_it_is_made_and_never_again() {
    let serving = Serving::start(&[]);
    let token = create(&serving, "Example\nInc.");
    assert_eq!(save(&serving, &token), Some(0));
    let list = tokens(&serving, &["list"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    // In words that steer no terminal.
    assert!(list.stdout.contains("Example\\nInc.") && list.stdout.contains("valid"), "{list:?}");
    let object = object(&serving, &["list"]);
    assert_eq!(object["tokens"][0]["organisation"], "Example\nInc.");
    assert_eq!(object["tokens"][0]["ends_at"], json!(null));
    for part in token.as_bytes().chunks(16) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(!list.stdout.contains(part) && !object.to_string().contains(part));
    }
}

#[test]
fn a_name_without_end_is_refused_in_words() {
    let serving = Serving::start(&[]);
    create(&serving, &"ü".repeat(254));
    let long = tokens(&serving, &["create", &"x".repeat(255)]);
    assert_eq!(long.code, Some(1), "{long:?}");
    assert!(long.stderr.contains("longer than 254 characters"), "{long:?}");
    let list = object(&serving, &["list"]);
    assert_eq!(list["tokens"].as_array().unwrap().len(), 1);
}

#[test]
fn a_token_is_revoked_while_the_server_runs() {
    let serving = Serving::start(&[]);
    let [one, two, three] = ["A", "A", "B"].map(|name| create(&serving, name));
    let all = || [&one, &two, &three].map(|token| save(&serving, token));
    assert_eq!(all(), [Some(0); 3]);
    assert_eq!(object(&serving, &["revoke", "1"]), json!({"outcome": "revoked", "tokens": 1}));
    assert_eq!(all(), [Some(3), Some(0), Some(0)]);
    assert_eq!(object(&serving, &["revoke", "--organisation", "A"])["tokens"], 2);
    assert_eq!(all(), [Some(3), Some(3), Some(0)]);
    let leaked = File::new("leaked", &three);
    let ran = tokens(&serving, &["revoke", "--token-file", &leaked.path()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "revoked: 1 token\n"), "{ran:?}");
    assert_eq!(all(), [Some(3); 3]);
    assert!(tokens(&serving, &["list"]).stdout.contains("ended 20"));

    let unknown = File::new("unknown", "a-token-of-somebody-else");
    let ran = tokens(&serving, &["revoke", "--token-file", &unknown.path()]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(!ran.stderr.contains("a-token-of"), "{ran:?}");
    assert_eq!(tokens(&serving, &["revoke", "99"]).code, Some(1));
    assert_eq!(tokens(&serving, &["revoke", "--organisation", "C"]).code, Some(1));
    for wrong in [&["revoke"][..], &["revoke", "1", "--organisation", "A"], &["create", " "]] {
        assert_eq!(tokens(&serving, wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_token_is_replaced_with_an_overlap() {
    let serving = Serving::start(&[]);
    let old = create(&serving, "Example Inc.");
    let new = object(&serving, &["rotate", "1", "--overlap", "1h"]);
    assert_eq!(new["organisation"], "Example Inc.");
    let new = new["token"].as_str().unwrap();
    assert_eq!([&old, new].map(|token| save(&serving, token)), [Some(0); 2]);
    assert!(tokens(&serving, &["list"]).stdout.contains("ends 20"));
    let ran = tokens(&serving, &["rotate", "2", "--overlap", "0"]);
    assert!(ran.stdout.starts_with("token for \"Example Inc.\": "), "{ran:?}");
    assert_eq!([&old, new].map(|token| save(&serving, token)), [Some(0), Some(3)]);
}

#[test]
fn an_organisation_is_removed() {
    let serving = Serving::start(&[]);
    let token = create(&serving, "Example Inc.");
    assert_eq!(save(&serving, &token), Some(0));
    assert_eq!(
        object(&serving, &["remove", "Example Inc."]),
        json!({"outcome": "removed", "tokens": 1})
    );
    assert_eq!(save(&serving, &token), Some(3));
    assert_eq!(object(&serving, &["list"]), json!({"tokens": []}));
    let rows = serving.store().usage().read_all().unwrap();
    assert_eq!((rows.len(), rows[0].organisation.as_deref()), (1, None));
    assert_eq!(tokens(&serving, &["remove", "Example Inc."]).code, Some(1));
}

/// A name that is misspelt makes no database.
#[test]
fn a_database_is_named_by_the_variable_too() {
    let directory = tempfile::tempdir().unwrap();
    let list = |name: &str| {
        run(&["tokens", "list"]).directory(directory.path()).env("USAGE_DATABASE", name).done()
    };
    let ran = list("there.db");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("there.db"), "{ran:?}");
    assert!(!directory.path().join("there.db").exists());
    let made = run(&["tokens", "create", "A"])
        .directory(directory.path())
        .env("USAGE_DATABASE", "there.db")
        .done();
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(list("there.db").code, Some(0));
    assert_eq!(list("").code, Some(5));
}
