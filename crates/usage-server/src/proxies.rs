use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;

use crate::peer_stream::Peer;

/// Where proxies connect from that tell who has sent a request, in `X-Forwarded-For`.
///
/// Anybody can write this header. It is read where the connection comes from a proxy that is named
/// here, from its end: the last address that is not a proxy's is where the request came from. What it
/// says is the address for the [limits](crate::Limits) and for the log; places for connections are
/// still those of who connects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Proxies {
    networks: Vec<IpNet>,
    over_files: bool,
}

/// A text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a network: write it as 10.0.0.0/8 or 2001:db8::/32, as an address, or as unix \
     for sockets in the file system"
)]
#[non_exhaustive]
pub struct InvalidNetwork {
    /// The text, or its beginning.
    pub text: String,
}

impl Proxies {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts a network, such as `10.0.0.0/8`, one address, or with `unix` whoever connects over a
    /// socket in the file system.
    ///
    /// # Errors
    ///
    /// [`InvalidNetwork`].
    pub fn trust(mut self, text: &str) -> Result<Self, InvalidNetwork> {
        if text == "unix" {
            self.over_files = true;
            return Ok(self);
        }
        let network = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from));
        let network =
            network.map_err(|_| InvalidNetwork { text: text.chars().take(64).collect() })?;
        self.networks.push(network.trunc());
        Ok(self)
    }

    /// Where a request came from; `None` if nobody says it.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        let is_trusted = match peer {
            Peer::Address(address) => self.know(address.to_canonical()),
            Peer::ThisMachine => self.over_files,
        };
        let mut client = peer.ip();
        if !is_trusted {
            return client;
        }
        let lines: Vec<_> = headers.get_all("X-Forwarded-For").iter().collect();
        let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|&b| b == b','));
        for entry in entries {
            // What is before something that is no address was not written by a proxy.
            let Some(address) = address(entry) else { break };
            client = Some(address);
            if !self.know(address) {
                break;
            }
        }
        client
    }

    fn know(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Some proxies add the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| text.trim_matches(['[', ']']).parse());
    address.ok().map(|address| address.to_canonical())
}

/// The networks, as [`trust`](Self::trust) takes them.
impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.over_files.then(|| "unix".to_owned());
        let names: Vec<_> = self.networks.iter().map(ToString::to_string).chain(files).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::HeaderMap;

    use super::Proxies;
    use crate::peer_stream::Peer;

    fn client(proxies: &Proxies, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let peer = Peer::Address(peer.parse().unwrap());
        proxies.client(peer, &headers).map(|client: IpAddr| client.to_string()).unwrap()
    }

    #[test]
    fn the_last_that_is_not_a_proxy_has_sent_it() {
        let proxies = Proxies::new().trust("10.1.2.3/8").unwrap().trust("2001:db8::1").unwrap();
        for (peer, lines, from) in [
            // Nobody asked for the header, or nobody says that it can be trusted.
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("2001:db8::2", &["198.51.100.1"], "2001:db8::2"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("2001:db8::1", &["198.51.100.1"], "198.51.100.1"),
            // What a client writes in front of it changes nothing.
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            // A chain of proxies.
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1 ,10.9.9.9,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.7"], "10.0.0.7"),
            // Ports and brackets.
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8:1::5]:4711"], "2001:db8:1::5"),
            ("10.0.0.1", &["[2001:db8:1::5]"], "2001:db8:1::5"),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // What is no address is the end.
            ("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            assert_eq!(client(&proxies, peer, lines), from, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_network_is_written_as_usual() {
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/8,::1", "unix:"] {
            assert!(Proxies::new().trust(text).is_err(), "{text}");
        }
        let proxies = Proxies::new().trust("10.1.2.3/8").unwrap().trust("::1").unwrap();
        let proxies = proxies.trust("unix").unwrap();
        assert_eq!(proxies.to_string(), "10.0.0.0/8, ::1/128, unix");
    }
}
