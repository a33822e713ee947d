//! What a file is on any system: made, opened again, told apart.

use std::fs;
use std::io::{ErrorKind, Read, Write};

use usage_files::{
    Accept, FileError, FileId, Risk, Secret, check, create_new, locate, open, open_existing,
    read_own,
};

#[test]
fn a_file_is_made_and_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    assert_eq!(check(&path, Accept::NOTHING).unwrap(), None);
    open(&path, Accept::NOTHING).unwrap().write_all(b"state").unwrap();
    let mut text = String::new();
    let mut file = open(&path, Accept::NOTHING).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "state");
    let id = FileId::of(&file).unwrap();
    assert_eq!(check(&path, Accept::NOTHING).unwrap(), Some(id));
    assert_eq!(FileId::at(&path).unwrap(), Some(id));

    let mut file = open_existing(&path, Accept::NOTHING).unwrap().unwrap();
    file.write_all(b"STA").unwrap();
    assert_eq!(read_own(&path, Accept::NOTHING, 5).unwrap().unwrap(), b"STAte");
    let error = read_own(&path, Accept::NOTHING, 4).unwrap_err();
    assert!(matches!(error, FileError::TooLong { limit: 4, .. }), "{error:?}");

    let error = create_new(&path).unwrap_err();
    let FileError::Io { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.path(), path);
}

#[test]
fn what_is_not_there_is_not_made_unless_that_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    assert!(open_existing(&path, Accept::NOTHING).unwrap().is_none());
    assert!(read_own(&path, Accept::ANYTHING, 5).unwrap().is_none());
    assert!(!path.exists());
}

#[test]
fn a_directory_is_not_a_file() {
    let directory = tempfile::tempdir().unwrap();
    for error in [
        open(directory.path(), Accept::NOTHING).unwrap_err(),
        check(directory.path(), Accept::NOTHING).unwrap_err(),
        open_existing(directory.path(), Accept::ANYTHING).unwrap_err(),
        read_own(directory.path(), Accept::ANYTHING, 5).unwrap_err(),
    ] {
        assert!(matches!(error, FileError::NotAFile { what: "a directory", .. }), "{error:?}");
        assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing/usage.json");
    for error in [
        open(&path, Accept::NOTHING).unwrap_err(),
        check(&path, Accept::NOTHING).unwrap_err(),
        locate(&path, Accept::NOTHING).unwrap_err(),
    ] {
        assert!(matches!(error, FileError::Io { .. }), "{error:?}");
        assert!(error.to_string().contains("missing"), "{error}");
    }
    assert!(locate("", Accept::NOTHING).is_err());
    assert!(!path.parent().unwrap().exists());
}

#[test]
fn a_place_does_not_depend_on_the_working_directory() {
    let here = fs::canonicalize(".").unwrap();
    assert_eq!(locate("usage.json", Accept::NOTHING).unwrap().parent().unwrap(), here);
}

#[test]
fn risks_have_names() {
    for risk in Risk::ALL {
        assert_eq!(risk.to_string().parse(), Ok(risk));
        let accept = Accept::NOTHING.and(risk);
        assert!(accept.takes(risk) && !Accept::NOTHING.takes(risk));
        assert!(Risk::ALL.iter().all(|&other| other == risk || !accept.takes(other)));
    }
    assert_eq!(Risk::ALL.into_iter().collect::<Accept>(), Accept::ANYTHING);
    let error = "pipe".parse::<Risk>().unwrap_err();
    assert!(error.to_string().contains("`pipe`") && error.to_string().contains("other-owner"));
}

#[test]
fn public_types_can_cross_threads() {
    fn check<T: std::fmt::Debug + Send + Sync + 'static>() {}
    check::<Accept>();
    check::<FileError>();
    check::<FileId>();
    check::<Risk>();
    check::<Secret>();
    check::<usage_files::UnknownRisk>();
}

/// What several have opened, or whoever empties it meanwhile, does not make holes.
#[test]
fn what_is_appended_stands_at_the_end() {
    use std::io::Write;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut first = usage_files::append(&path, Accept::NOTHING).unwrap();
    first.write_all(b"1\n").unwrap();
    let mut second = usage_files::append(&path, Accept::NOTHING).unwrap();
    second.write_all(b"2\n").unwrap();
    first.write_all(b"3\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    second.write_all(b"4\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "4\n");
}
