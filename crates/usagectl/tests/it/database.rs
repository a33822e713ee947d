//! `database`: a copy while the server runs.

use std::os::unix::fs::PermissionsExt;

use crate::serving::Serving;
use crate::usagectl::{example, run};

#[test]
fn a_copy_is_a_database_like_the_other() {
    let serving = Serving::start(&["--create-token", "Example Inc."]);
    let save = |body: &str| {
        run(&["save", "usage", "--product", "p", "-", "--url", &serving.url]).stdin(body).done()
    };
    assert_eq!(save(example::USAGE).code, Some(0));
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    let (copy, database) = (copy.to_str().unwrap(), serving.database());
    let backup = ["database", "backup", copy, "--database", database.to_str().unwrap(), "--json"];
    let object = run(&backup).done().json();
    assert_eq!((object["outcome"].as_str(), object["file"].as_str()), (Some("copied"), Some(copy)));
    assert_eq!(object["bytes"], std::fs::metadata(copy).unwrap().len());
    assert_eq!(std::fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    // What comes later is not in it, and the server goes on.
    assert_eq!(save("[]").code, Some(0));
    let store = usage_server::Store::open(&usage_server::Database::file(copy)).unwrap();
    assert_eq!(store.usage().count(), 1);
    assert!(store.has_token("Example Inc.").unwrap());
    assert_eq!(serving.store().usage().count(), 2);

    let again = run(&backup[..5]).done();
    assert_eq!(again.code, Some(1), "a copy is never written over: {again:?}");
    assert!(again.stderr.contains("copy.db"), "{again:?}");
    assert_eq!(store.usage().count(), 1);
    let nowhere = directory.path().join("missing/copy.db");
    let ran =
        run(&["database", "backup", nowhere.to_str().unwrap()]).arguments(&backup[3..5]).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn a_database_is_not_moved_to_itself() {
    let serving = Serving::start(&[]);
    let database = serving.database();
    let database = database.to_str().unwrap();
    let beside = database.replace("usage.db", "./usage.db");
    let ran = run(&["database", "move", "--from", database, "--to", &beside]).done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("to itself"), "{ran:?}");
}
