//! A file of one's own, and a link in its place.

#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::io::Write as _;

use usage_files::{Accept, open};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("usage.json");
    let mut file = open(&path, Accept::NOTHING)?;
    writeln!(file, "{{}}")?;
    println!("written: {}", path.display());

    #[cfg(unix)]
    {
        let planted = directory.path().join("planted.json");
        std::os::unix::fs::symlink(&path, &planted)?;
        if let Err(refused) = open(&planted, Accept::NOTHING) {
            println!("refused: {refused}");
        }
    }
    Ok(())
}
