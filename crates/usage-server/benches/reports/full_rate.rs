//! As many reports as clients can send that wait for their answers, beside the same router with a
//! handler that reads the JSON and stores nothing.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use testkit::bench::{Key, ReportClients, Row, compare};

use crate::CLIENTS;

/// How many reports each client sends in a round.
const EACH: usize = 100;

pub(crate) fn rows(ours: SocketAddr, token: &str) -> Result<[Row; 3], Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bare = runtime.block_on(stores_nothing())?;
    let row = |what, target, token, key| {
        let clients = |address| ReportClients::new(CLIENTS, address, token, key);
        let [mut ours, mut bare] = [ours, bare].map(clients);
        compare(
            &format!("usage-server, reports, {what}"),
            CLIENTS * EACH,
            target,
            || ours.send_all(EACH),
            || bare.send_all(EACH),
        )
    };
    let rows = [
        row("anonymous", 0.75, None, Key::None),
        row("with a token", 0.70, Some(token), Key::None),
        row("with a token and a fresh key", 0.65, Some(token), Key::Fresh),
    ];
    runtime.shutdown_background();
    Ok(rows)
}

/// The bare server.
async fn stores_nothing() -> Result<SocketAddr, Box<dyn Error>> {
    let taken = async |body: Bytes| match serde_json::from_slice::<Value>(&body) {
        Ok(_) => (StatusCode::CREATED, "{}"),
        Err(_) => (StatusCode::BAD_REQUEST, "{}"),
    };
    let router = Router::new().route("/api/v1/usage/{product}", post(taken));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
