//! What a start comes to when something is wrong: a typed error, soon.

use std::fs;

#[cfg(unix)]
use usage_client::Risk;
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

#[cfg(unix)]
#[test]
fn a_state_file_that_may_not_be_ours_has_to_be_accepted() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("volume.json");
    fs::create_dir(folder.path().join("tinykv")).unwrap();
    std::os::unix::fs::symlink(&volume, folder.path().join("tinykv/usage.json")).unwrap();
    let error = product(&there, folder.path()).start(UsageData::new).unwrap_err();
    let StartError::StateFile(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.risk(), Some(Risk::Link));
    assert!(!volume.exists());
    let accepting = product(&there, folder.path()).accept_file(Risk::Link);
    accepting.start(UsageData::new).unwrap().stop(PATIENCE);
    assert!(volume.is_file());
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
    // What cannot stand in a path would be asked for numbers for ever, and never report.
    for product in ["", ".", ".."] {
        assert!(matches!(odd(product), Err(StartError::Build(_))), "{product:?}");
    }
}
