//! What happens in the demo.

use std::io;

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{
    Api, BaseUrl, BuildError, Deadlines, Registration, ResponseError, Saved, Server, Stats,
    StatsData, Token, Usage, UsageData,
};
use usage_server::{Config, Database, Stored};

use crate::carrier::Carrier;
use crate::failure::Failure;

/// The customer of the demo.
pub(super) const ORGANISATION: &str = "Example Inc.";

/// What the customer runs, from the registration to the rows in the database.
const PRODUCT: &str = "influxdb";

const APPLICATION: &str = concat!("usagectl/", env!("CARGO_PKG_VERSION"));

/// What happens, told while it does.
#[derive(Clone, Copy)]
pub(super) enum Event<'a> {
    /// The server is there.
    Listening { url: &'a str },
    /// Where a customer registers.
    Registration { url: &'a str },
    /// A request is about to go out.
    Asking(&'a Question),
    /// Its answer is there.
    Answered(&'a Exchange),
    /// The reports are over.
    Stored(&'a Tables),
    /// The server is gone, and its database with it.
    Stopped,
}

/// A request, and what it is about.
pub(super) struct Question {
    pub(super) title: &'static str,
    /// When an application does this, or what is wrong with it.
    pub(super) remark: &'static str,
    pub(super) request: Request<Bytes>,
    /// To be kept out of what is shown.
    pub(super) token: Token,
}

/// A question, and what became of it.
pub(super) struct Exchange {
    pub(super) question: Question,
    pub(super) answer: Response<Bytes>,
    pub(super) result: Result<Saved, ResponseError>,
}

/// What the server has stored.
pub(super) struct Tables {
    pub(super) servers: Vec<Stored<Server>>,
    pub(super) stats: Vec<Stored<Stats>>,
    pub(super) usage: Vec<Stored<Usage>>,
}

/// Plays the demo. Where `tell` fails, it ends.
pub(super) fn play(mut tell: impl FnMut(Event<'_>) -> io::Result<()>) -> Result<(), Failure> {
    let config = Config::new(Database::temporary());
    let server = usage_server::Server::bind("127.0.0.1:0", config).map_err(Failure::server)?;
    let url = server.url();
    tell(Event::Listening { url: &url })?;

    // The demo's server has no page for registration: this is what a customer gets to see.
    let registration = Registration::new("clus1", PRODUCT).redirect_url("http://example.com");
    let registration_url: String =
        Api::new(BaseUrl::PRODUCTION).registration_url(&registration)?.into();
    tell(Event::Registration { url: &registration_url })?;
    let token = server.create_token(ORGANISATION).map_err(Failure::server)?;
    let unknown = Token::new("token-goes-here").map_err(BuildError::from)?;

    let base_url = BaseUrl::new(&url).map_err(BuildError::from)?;
    let api = Api::new(base_url).with_application(APPLICATION)?;
    let carrier = Carrier::ureq(api.clone(), Deadlines::new()).map_err(Failure::Client)?;
    let known = api.clone().with_token(token.clone())?;
    let stranger = api.with_token(unknown.clone())?;
    let ask = |title, remark, request| Question { title, remark, request, token: token.clone() };
    let questions = [
        ask(
            "A server registers",
            "at every start of the application",
            known.build_request(&example_server())?,
        ),
        ask("It posts statistics", "as often as it likes", known.build_request(&example_stats())?),
        ask("It posts its usage", "every 12 hours", known.build_request(&example_usage())?),
        ask(
            "A report with blank fields",
            "refused, and the answer names them",
            known.build_request(&Server::new().cluster_id("clus1").product(PRODUCT))?,
        ),
        Question {
            title: "A report with an unknown token",
            remark: "refused, and nothing is stored",
            request: stranger.build_request(&example_usage())?,
            token: unknown,
        },
    ];
    for question in questions {
        tell(Event::Asking(&question))?;
        let answer = carrier.execute(question.request.clone())?;
        let judge = if question.token == token { &known } else { &stranger };
        let result = judge.parse_response(answer.clone());
        tell(Event::Answered(&Exchange { question, answer, result }))?;
    }

    let store = server.store();
    let stored = Tables {
        servers: store.servers().read_all().map_err(Failure::server)?,
        stats: store.stats().read_all().map_err(Failure::server)?,
        usage: store.usage().read_all().map_err(Failure::server)?,
    };
    tell(Event::Stored(&stored))?;
    server.shutdown().map_err(Failure::server)?;
    tell(Event::Stopped)?;
    Ok(())
}

fn example_server() -> Server {
    Server::new()
        .cluster_id("clus1")
        .server_id("serv1")
        .host("example.com")
        .product(PRODUCT)
        .version("1.0")
}

fn example_stats() -> Stats {
    Stats::new(PRODUCT).cluster_id("clus1").server_id("serv1").data(
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
    Usage::new(PRODUCT).data(
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
