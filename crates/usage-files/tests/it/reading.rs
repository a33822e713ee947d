//! What is only read.

use std::fs;
use std::time::Duration;

use usage_files::{FileError, read, read_secret};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_file_is_read_up_to_its_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    for length in [0, 1, 100_000, 200_000] {
        let content = vec![b'x'; length];
        fs::write(&path, &content).unwrap();
        assert_eq!(read(&path, length, PATIENCE).unwrap(), content);
        if let Some(less) = length.checked_sub(1) {
            let error = read(&path, less, PATIENCE).unwrap_err();
            assert!(
                matches!(error, FileError::TooLong { limit, .. } if limit == less),
                "{error:?}"
            );
        }
    }
}

#[test]
fn what_is_not_there_or_is_a_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().join("missing"), directory.path().to_owned()] {
        for error in
            [read(&path, 1, PATIENCE).unwrap_err(), read_secret(&path, 1, PATIENCE).unwrap_err()]
        {
            assert_eq!(error.path(), path);
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, OpenOptions, Permissions};
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;
    use usage_files::{FileError, read, read_secret};

    use super::PATIENCE;

    fn pipe() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        (directory, path)
    }

    /// As Kubernetes mounts secrets, a link to a link to a file.
    #[test]
    fn links_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("..2026")).unwrap();
        fs::write(at("..2026/token"), "secret").unwrap();
        fs::set_permissions(at("..2026/token"), Permissions::from_mode(0o400)).unwrap();
        symlink("..2026", at("..data")).unwrap();
        symlink("..data/token", at("token")).unwrap();
        assert_eq!(read(at("token"), 100, PATIENCE).unwrap(), b"secret");
        let secret = read_secret(at("token"), 100, PATIENCE).unwrap();
        assert_eq!((&*secret.bytes, secret.readable_by_others), (&b"secret"[..], None));
        assert!(!format!("{secret:?}").contains("secret\""), "{secret:?}");
    }

    #[test]
    fn a_pipe_is_awaited_and_read_to_its_end() {
        let as_secret = |path: &Path| Ok(read_secret(path, 200_000, PATIENCE)?.bytes);
        let as_usual = |path: &Path| read(path, 200_000, PATIENCE);
        for is_secret in [false, true] {
            let (_directory, path) = pipe();
            // Opened to write only once somebody reads, and written in pieces.
            let writer = thread::spawn({
                let path = path.clone();
                move || {
                    let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
                    for _ in 0..10 {
                        pipe.write_all(&[b'x'; 10_000]).unwrap();
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
            let bytes = if is_secret { as_secret(&path) } else { as_usual(&path) };
            assert_eq!(bytes.unwrap().len(), 100_000);
            writer.join().unwrap();
        }
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_or_that_never_ends_is_given_up() {
        let (_directory, path) = pipe();
        let short = Duration::from_millis(50);
        let error = read(&path, 100, short).unwrap_err();
        assert!(matches!(error, FileError::TooSlow { .. }), "{error:?}");

        let kept = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        (&kept).write_all(b"[").unwrap();
        let error = read_secret(&path, 100, short).unwrap_err();
        assert!(matches!(error, FileError::TooSlow { .. }), "{error:?}");

        let error = read("/dev/zero", 100_000, PATIENCE).unwrap_err();
        assert!(matches!(error, FileError::TooLong { limit: 100_000, .. }), "{error:?}");
        assert_eq!(read("/dev/null", 0, PATIENCE).unwrap(), b"");
    }

    #[test]
    fn a_secret_is_its_owners() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("token"), directory.path().join("link"));
        fs::write(&path, "secret").unwrap();
        symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            for (mode, readers) in
                [(0o600, None), (0o400, None), (0o640, Some(0o640)), (0o444, Some(0o444))]
            {
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                let secret = read_secret(name, 100, PATIENCE).unwrap();
                assert_eq!(secret.readable_by_others, readers, "{mode:o}");
            }
            for mode in [0o620, 0o602, 0o666] {
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                let error = read_secret(name, 100, PATIENCE).unwrap_err();
                assert!(matches!(error, FileError::Shared { mode: is, .. } if is == mode));
                assert!(error.to_string().contains(&format!("{mode:04o}")), "{error}");
                // What is no secret is another matter.
                assert_eq!(read(name, 100, PATIENCE).unwrap(), b"secret");
            }
        }
    }
}
