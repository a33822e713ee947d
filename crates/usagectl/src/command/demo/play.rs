//! What happens in the demo.

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{
    Api, BaseUrl, BuildError, Deadlines, Registration, ResponseError, Saved, Server, Stats,
    StatsData, Token, Usage, UsageData,
};
use usage_server::{Config, Database, Stored};

use crate::failure::Failure;
use crate::transport::{Transport, TransportName};

/// The customer of the demo.
pub(super) const ORGANISATION: &str = "Example Inc.";

const APPLICATION: &str = concat!("usagectl/", env!("CARGO_PKG_VERSION"));

/// Everything that has happened.
pub(super) struct Played {
    pub(super) url: String,
    pub(super) transport: TransportName,
    pub(super) registration_url: String,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) servers: Vec<Stored<Server>>,
    pub(super) stats: Vec<Stored<Stats>>,
    pub(super) usage: Vec<Stored<Usage>>,
}

/// A request, and what became of it.
pub(super) struct Exchange {
    pub(super) title: &'static str,
    /// When an application does this, or what is wrong with it.
    pub(super) remark: &'static str,
    pub(super) request: Request<Bytes>,
    pub(super) answer: Response<Bytes>,
    pub(super) result: Result<Saved, ResponseError>,
    /// To be kept out of what is shown.
    pub(super) token: Token,
}

pub(super) fn play(transport: TransportName) -> Result<Played, Failure> {
    let config = Config::new(Database::temporary());
    let server = usage_server::Server::bind("127.0.0.1:0", config).map_err(Failure::server)?;
    let url = server.url();

    let base_url = BaseUrl::new(&url).map_err(BuildError::from)?;
    let api = Api::new(base_url).with_application(APPLICATION)?;
    let registration = Registration::new("clus1", "chronograf").redirect_url("http://example.com");
    let registration_url = api.registration_url(&registration)?.into();
    let token = server.create_token(ORGANISATION).map_err(Failure::server)?;
    let unknown = Token::new("token-goes-here").map_err(BuildError::from)?;

    let client = transport.client(api.clone(), Deadlines::new())?;
    let known = Customer { api: api.clone().with_token(token.clone())?, client: &client, token };
    let stranger =
        Customer { api: api.with_token(unknown.clone())?, client: &client, token: unknown };
    let exchanges = vec![
        known.exchange(
            "A server registers",
            "at every start of the application",
            known.api.request(&example_server())?,
        )?,
        known.exchange(
            "It posts statistics",
            "as often as it likes",
            known.api.request(&example_stats())?,
        )?,
        known.exchange(
            "It posts its usage",
            "every 12 hours",
            known.api.request(&example_usage())?,
        )?,
        known.exchange(
            "A report with blank fields",
            "refused, and the answer names them",
            known.api.request(&Server::new().cluster_id("clus1").product("influxdb"))?,
        )?,
        stranger.exchange(
            "A report with an unknown token",
            "refused, and nothing is stored",
            stranger.api.request(&example_usage())?,
        )?,
    ];

    let store = server.store();
    let played = Played {
        url,
        transport,
        registration_url,
        exchanges,
        servers: store.servers().map_err(Failure::server)?,
        stats: store.stats().map_err(Failure::server)?,
        usage: store.usage().map_err(Failure::server)?,
    };
    server.shutdown().map_err(Failure::server)?;
    Ok(played)
}

/// Somebody who reports.
struct Customer<'a> {
    api: Api,
    client: &'a Transport,
    token: Token,
}

impl Customer<'_> {
    fn exchange(
        &self,
        title: &'static str,
        remark: &'static str,
        request: Request<Bytes>,
    ) -> Result<Exchange, Failure> {
        let answer = self.client.execute(request.clone())?;
        let result = self.api.response(answer.clone());
        Ok(Exchange { title, remark, request, answer, result, token: self.token.clone() })
    }
}

fn example_server() -> Server {
    Server::new()
        .cluster_id("clus1")
        .server_id("serv1")
        .host("example.com")
        .product("influxdb")
        .version("1.0")
}

fn example_stats() -> Stats {
    Stats::new("influxdb").cluster_id("clus1").server_id("serv1").data(
        StatsData::new("engine")
            .tag("path", "/home/philip/.influxdb/data/_internal/monitor/1")
            .tag("version", "bz1")
            .value("blks_write", 39)
            .value("blks_write_bytes", 2421)
            .value("blks_write_bytes_c", 2202)
            .value("points_write", 39)
            .value("points_write_dedupe", 39),
    )
}

fn example_usage() -> Usage {
    Usage::new("influxdb").data(
        UsageData::new()
            .tag("version", "0.9.5")
            .tag("arch", "amd64")
            .tag("os", "linux")
            .value("cluster_id", "23423")
            .value("server_id", "1")
            .value("num_databases", 3)
            .value("num_measurements", 2342)
            .value("num_series", 87232),
    )
}
