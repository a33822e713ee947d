//! A network for one process alone, in which names lead where a test wants them to.
//!
//! It is made with namespaces, which only Linux has, and which a container may not allow.

use std::env;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use testkit::child;
use testkit::samples::CREATED;
use testkit::scripted::ScriptedServer;

/// What is odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Network {
    /// The name server takes questions and never answers. The system would wait for minutes.
    Silent,
    /// A name has two addresses: nothing answers at the first, and a server at the second.
    TwoAddresses,
}

impl Network {
    /// The base URL in there, without the port.
    pub(super) fn url(self) -> &'static str {
        match self {
            Self::Silent => "http://usage.example",
            Self::TwoAddresses => "http://two.test",
        }
    }

    /// What the shell does in the new network before the program starts.
    fn setup(self) -> &'static str {
        match self {
            Self::Silent => {
                "ip link set lo up
                 printf 'nameserver 127.0.0.1\\n' >\"$FOLDER/file\"
                 mount --bind \"$FOLDER/file\" /etc/resolv.conf"
            }
            // What is sent to the first address arrives at the other end of the wire, where it is
            // nobody's. A name's global address of version 6 is tried before one of loopback.
            Self::TwoAddresses => {
                "ip link set lo up
                 ip link add here type veth peer name there
                 ip link set here up
                 ip link set there up
                 ip addr add 2001:db8::2/64 dev here nodad
                 ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev here
                 printf '2001:db8::1 two.test\\n127.0.0.1 two.test\\n' >\"$FOLDER/file\"
                 mount --bind \"$FOLDER/file\" /etc/hosts"
            }
        }
    }

    /// This program once more, in there.
    pub(super) fn command(self) -> Command {
        let script = format!(
            // A file that is mounted stays for as long as it is, though its name is gone.
            "set -e\nFOLDER=$(mktemp -d)\n{}\nrm -rf \"$FOLDER\"\nexec \"$0\" \"$@\"",
            self.setup()
        );
        let mut command = unshare();
        command.args(["sh", "-c", &script]);
        command.arg(env::current_exe().unwrap());
        for (name, value) in child::command().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("RES_OPTIONS", "timeout:30 attempts:5");
        command
    }

    /// Whether this system lets a test have a network of its own.
    pub(crate) fn is_possible() -> bool {
        static POSSIBLE: OnceLock<bool> = OnceLock::new();
        *POSSIBLE.get_or_init(|| {
            let mut command = unshare();
            command.args(["ip", "link", "add", "here", "type", "veth", "peer", "name", "there"]);
            let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
            quiet.status().is_ok_and(|status| status.success())
        })
    }

    /// What has to be there in the network, made by the program that is in it.
    pub(super) fn inside(self) -> Inside {
        match self {
            Self::Silent => Inside::Silent { _questions: UdpSocket::bind("127.0.0.1:53").unwrap() },
            Self::TwoAddresses => Inside::TwoAddresses(ScriptedServer::answering(CREATED)),
        }
    }
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--net"]);
    command
}

/// Kept for as long as the saves take.
pub(super) enum Inside {
    Silent { _questions: UdpSocket },
    TwoAddresses(ScriptedServer),
}

impl Inside {
    pub(super) fn url(&self, base: &str) -> String {
        match self {
            Self::Silent { .. } => base.to_owned(),
            Self::TwoAddresses(server) => format!("{base}:{}", server.port()),
        }
    }
}
