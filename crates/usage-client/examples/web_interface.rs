//! A product with a web interface of its own, from which its customer registers.
//!
//! ```sh
//! usagectl serve --registration open
//! cargo run --package usage-client --example web_interface -- http://127.0.0.1:7086 data
//! ```
//!
//! Then open the address that it prints. The product is a key-value store called `tinykv`. Its page
//! has a link to register; the Usage API sends the browser back with a token, and from then on what is
//! reported belongs to the organisation. The token is kept in the data directory, for the next start.

#![expect(clippy::print_stdout, reason = "a program tells its user where it listens")]

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use usage_client::{BaseUrl, Registration, Reporting, Running, Schedule, Thread, Token, UsageData};

type BoxError = Box<dyn Error + Send + Sync>;

const PRODUCT: &str = "tinykv";

/// The product, as its pages know it.
pub(crate) struct TinyKv {
    pub(crate) reporting: Running<Thread>,
    /// Where its own pages are, for the browser to come back to.
    address: String,
    token_file: PathBuf,
    customer: Mutex<Customer>,
}

enum Customer {
    Unknown,
    /// The registration that was begun last: a redirect that belongs to no other is taken.
    Registering(Registration),
    Registered,
}

impl TinyKv {
    /// Starts to report. `setting` is what its configuration says about that, and `address` is where its
    /// own pages are.
    pub(crate) fn start(
        setting: Option<bool>,
        usage_api: BaseUrl,
        schedule: Schedule,
        data: &Path,
        address: String,
    ) -> Result<Arc<Self>, BoxError> {
        let token_file = data.join("token");
        let token = match fs::read_to_string(&token_file) {
            Ok(text) => Some(Token::new(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let customer = if token.is_some() { Customer::Registered } else { Customer::Unknown };
        let reporting = Reporting::new(PRODUCT, "1.0")
            .setting(setting)
            .url(usage_api)
            .token(token)
            .schedule(schedule)
            .state_file(data.join("usage.json"))
            .start(|| UsageData::new().value("num_keys", 3))?;
        Ok(Arc::new(Self { reporting, address, token_file, customer: Mutex::new(customer) }))
    }

    /// Its web interface.
    pub(crate) fn pages(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(front))
            .route("/register", get(register))
            .route("/registered/{state}", get(registered))
            .with_state(self)
    }

    /// Where the browser goes to register, and from there back to `/registered/…`.
    fn begin(&self) -> Result<String, BoxError> {
        let mut state = [0; 16];
        getrandom::fill(&mut state)?;
        let registration = self.reporting.registration().ok_or("usage reporting does not run")?;
        let registration = registration
            // An address of its own, and not what a request calls it (`Host`).
            .redirect_url(format!("{}/registered", self.address))
            .state_in_path(state);
        let url = self.reporting.registration_url(&registration)?;
        *self.customer() = Customer::Registering(registration);
        url.ok_or_else(|| "usage reporting does not run".into())
    }

    /// Takes the token that the browser has brought.
    fn finish(&self, path_and_query: &str) -> Result<(), BoxError> {
        let mut customer = self.customer();
        // Whoever visits the same address once more finds nothing.
        let Customer::Registering(registration) = &*customer else {
            return Err("no registration was begun".into());
        };
        let token = registration.parse_redirect(path_and_query)?;
        keep(&self.token_file, &token)?;
        self.reporting.set_token(token)?;
        *customer = Customer::Registered;
        Ok(())
    }

    fn customer(&self) -> MutexGuard<'_, Customer> {
        self.customer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the token for its owner alone, whole or not at all.
fn keep(path: &Path, token: &Token) -> io::Result<()> {
    let new = path.with_extension("new");
    // What a crash has left.
    let _ = fs::remove_file(&new);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(token.expose().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

async fn front(State(product): State<Arc<TinyKv>>) -> Response {
    let content = match &*product.customer() {
        Customer::Registered => {
            "<p>This installation is registered: its usage belongs to your organisation.</p>"
        }
        _ => "<p>This installation is not registered.</p><p><a href=\"/register\">Register</a></p>",
    };
    page(StatusCode::OK, content)
}

async fn register(State(product): State<Arc<TinyKv>>) -> Response {
    match product.begin() {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(_) => page(StatusCode::SERVICE_UNAVAILABLE, "<p>There is nothing to register.</p>"),
    }
}

/// The address has the token in it, so the browser is sent on to one that does not.
async fn registered(State(product): State<Arc<TinyKv>>, uri: Uri) -> Response {
    let path_and_query = uri.path_and_query().map_or("", |whole| whole.as_str());
    match product.finish(path_and_query) {
        Ok(()) => {
            let headers = [(REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-store")];
            (headers, Redirect::to("/")).into_response()
        }
        Err(_) => page(
            StatusCode::BAD_REQUEST,
            "<p>This was not the answer to a registration.</p><p><a href=\"/\">Start again</a></p>",
        ),
    }
}

fn page(status: StatusCode, content: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>{PRODUCT}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><h1>{PRODUCT}</h1>{content}</html>"
    );
    let headers = [(REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-store")];
    (status, headers, Html(html)).into_response()
}

#[tokio::main]
#[cfg_attr(test, expect(dead_code, reason = "a test takes the product alone"))]
async fn main() -> Result<(), BoxError> {
    let mut arguments = std::env::args().skip(1);
    let (Some(usage_api), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("say where the Usage API is, and a directory for data".into());
    };
    fs::create_dir_all(&data)?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let address = format!("http://{}", listener.local_addr()?);
    println!("open {address}/");
    let product =
        TinyKv::start(None, BaseUrl::new(&usage_api)?, Schedule::new(), Path::new(&data), address)?;
    let pages = Arc::clone(&product).pages();
    axum::serve(listener, pages)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    product.reporting.stop(Duration::from_secs(2));
    Ok(())
}
