//! What a start comes to when something is wrong: a typed error, soon.

use std::fs;

use usage_client::{BaseUrl, Reporting, StartError, UsageData};

use crate::{PATIENCE, api, product};

#[test]
fn what_is_missing_is_named() {
    let error = Reporting::new("tinykv", "1").setting(Some(true)).start(UsageData::new);
    assert!(matches!(error, Err(StartError::NoStateFile)), "{error:?}");
    let error =
        Reporting::new("tinykv", "1").setting(Some(true)).state_file("x").start(UsageData::new);
    assert!(matches!(error, Err(StartError::NoUrl)), "{error:?}");
}

#[test]
fn two_for_one_state_file_are_an_error_and_a_file_that_is_no_state_is_one() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let first = product(&there, folder.path()).start(UsageData::new).unwrap();
    let second = product(&there, folder.path()).start(UsageData::new).unwrap_err();
    let StartError::StateFile(locked) = &second else { panic!("{second:?}") };
    assert!(locked.path().ends_with("usage.json"));
    assert!(format!("{second:#}").contains("in use"), "{second:#}");
    first.stop(PATIENCE);
    // Once the first has ended, there is room.
    product(&there, folder.path()).start(UsageData::new).unwrap().stop(PATIENCE);

    fs::write(folder.path().join("tinykv/usage.json"), "nonsense").unwrap();
    let error = product(&there, folder.path()).start(UsageData::new).unwrap_err();
    assert!(matches!(error, StartError::StateFile(_)), "{error:?}");
}

#[test]
fn a_product_with_an_odd_name_says_so_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let odd = |product: &str| {
        Reporting::new(product, "1")
            .setting(Some(true))
            .url(BaseUrl::STAGING)
            .state_file(folder.path().join("usage.json"))
            .start(UsageData::new)
    };
    assert!(odd("Größe 2").is_ok());
    assert!(matches!(odd(""), Err(StartError::Build(_))));
}
