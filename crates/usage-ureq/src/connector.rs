//! The way to a connection: ureq's own connectors, in our order, with errors that tell the step.

use std::io;
use std::time::Duration;

use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use crate::call;
use crate::error::Step;
use crate::tcp::{Tcp, TcpConnector};
use crate::wire::WireConnector;

/// The whole chain. `deadline` is the connect deadline, `proxied` whether there is a proxy.
pub(crate) fn connector(deadline: Duration, proxied: bool) -> impl Connector {
    let tcp =
        ().chain(Forward { deadline }).chain(ConnectProxyConnector::default()).chain(TcpConnector);
    let chain = ().chain(Reach { connector: tcp, proxied });
    #[cfg(feature = "tls")]
    let chain = chain.chain(Secure(ureq::unversioned::transport::RustlsConnector::default()));
    Within { connector: chain.chain(WireConnector { proxied }), deadline }
}

/// Opens the connection; its errors say so.
#[derive(Debug)]
struct Reach<C> {
    connector: C,
    proxied: bool,
}

impl<In: Transport, C: Connector<In>> Connector<In> for Reach<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<C::Out>, Error> {
        self.connector.connect(details, chained).map_err(|error| {
            // A server that resets at once may do so before the system has said that it is there.
            // What resets in the place of a tunnel is the proxy.
            let forwarded = details.config.proxy().is_some() && !details.needs_tls();
            let step = if !is_reset(&error) || (self.proxied && !forwarded) {
                Step::Connect
            } else if details.needs_tls() {
                Step::Tls
            } else {
                Step::Closed
            };
            Step::name(error, step)
        })
    }
}

fn is_reset(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset)
}

/// Makes the TLS session; its errors say so.
#[cfg(feature = "tls")]
#[derive(Debug)]
struct Secure<C>(C);

#[cfg(feature = "tls")]
impl<In: Transport, C: Connector<In>> Connector<In> for Secure<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<C::Out>, Error> {
        self.0.connect(details, chained).map_err(|error| Step::name(error, Step::Tls))
    }
}

/// Ends with the connect deadline, which starts with the call; ureq's starts after the look-up.
#[derive(Debug)]
struct Within<C> {
    connector: C,
    deadline: Duration,
}

impl<C: Connector> Connector for Within<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<C::Out>, Error> {
        let details = narrowed(details, details.addrs.clone(), self.deadline)?;
        self.connector.connect(&details, chained)
    }
}

/// Connects to a proxy that is to pass on a request for an `http` URL. ureq itself would ask for a
/// tunnel, which most proxies refuse for any port but 443.
#[derive(Debug)]
struct Forward {
    deadline: Duration,
}

impl<In: Transport> Connector<In> for Forward {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(proxy) = details.config.proxy().filter(|_| !details.needs_tls()) else {
            return Ok(chained.map(Either::A));
        };
        let addrs = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
        TcpConnector.connect(&narrowed(details, addrs, self.deadline)?, chained)
    }
}

/// The same details with other addresses and with what is left of the connect deadline.
fn narrowed<'a>(
    details: &ConnectionDetails<'a>,
    addrs: ResolvedSocketAddrs,
    deadline: Duration,
) -> Result<ConnectionDetails<'a>, Error> {
    let left = deadline.saturating_sub(call::elapsed());
    // ureq would take zero for a second.
    if left.is_zero() {
        return Err(Error::Timeout(Timeout::Connect));
    }
    let timeout = if *details.timeout.after > left {
        NextTimeout { after: left.into(), reason: Timeout::Connect, ..details.timeout }
    } else {
        details.timeout
    };
    Ok(ConnectionDetails {
        uri: details.uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: (details.current_time)(),
        timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    })
}
