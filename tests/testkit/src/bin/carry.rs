//! Saves a server over one of the adapters, to see what each makes of an API:
//! `cargo run -p testkit --bin carry -- ureq|reqwest|hyper --url URL [--token-file FILE] BODY.json`.
//!
//! It prints the one object that `usagectl save server --json` prints, and ends with its exit
//! status.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use usage_proto::{Api, Deadlines};
use usagectl::{Adapter, Carrier};

const ADAPTERS: [Adapter; 3] = [
    Adapter { name: "ureq", connect: Carrier::ureq },
    Adapter { name: "reqwest", connect: reqwest },
    Adapter { name: "hyper", connect: hyper },
];

type BoxError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    usagectl::carry(std::env::args_os(), &ADAPTERS)
}

fn reqwest(api: Api, deadlines: Deadlines) -> Result<Carrier, BoxError> {
    let client = usage_reqwest::Client::configured(api, deadlines, |builder| builder)?;
    let runtime = runtime()?;
    Ok(Carrier::new(move |request| runtime.block_on(client.execute(request))))
}

fn hyper(api: Api, deadlines: Deadlines) -> Result<Carrier, BoxError> {
    let client = usage_hyper::Client::configured(api, deadlines, usage_hyper::Config::new())?;
    let runtime = runtime()?;
    Ok(Carrier::new(move |request| runtime.block_on(client.execute(request))))
}

/// It lives as long as the program: dropping it would wait for a look-up of a name that has
/// outlived its deadline.
fn runtime() -> io::Result<&'static Runtime> {
    Ok(Box::leak(Box::new(Builder::new_current_thread().enable_all().build()?)))
}
