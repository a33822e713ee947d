//! Who reports.

use super::State;

/// The ids that a server reports under. They stay the same for as long as its state does.
///
/// ```
/// use usage_reporter::{Identity, State};
///
/// # let random = [0x2a; 16];
/// let mut state = State::new(); // or the one that was stored
/// let first = Identity::new(&mut state, "clus1", random);
///
/// // The next start finds the same id, whatever it brings to mint one.
/// let again = Identity::new(&mut state, "clus1", [0; 16]);
/// assert_eq!(again, first);
/// ```
///
/// # Images and clones
///
/// Two machines with a copy of one state are one server to the maker, for ever. Nothing is guessed
/// here: an id of the machine changes when a container moves, and a new identity at each move would
/// count one server many times. So
///
/// - an image is made without the state: remove its file, or do not start the product before;
/// - a machine that was cloned with its state gives it an identity of its own, once:
///   [`State::new_identity`], or `usagectl report --new-identity`;
/// - a machine that is restored from its own backup, or moves, keeps the state, and with it the
///   identity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Identifies the cluster.
    pub cluster_id: String,
    /// Identifies this server within the cluster.
    pub server_id: String,
}

impl Identity {
    /// The server of a cluster that has an id of its own.
    ///
    /// The server's id is the one in the state. If there is none it is minted from `random`, 16
    /// fresh random bytes, and kept in the state; the reporter asks for the state to be stored
    /// before it sends anything.
    ///
    /// A state that could not be read is not an empty one: do not come here with it.
    #[must_use]
    pub fn new(state: &mut State, cluster_id: impl Into<String>, random: [u8; 16]) -> Self {
        let server_id = keep(&mut state.server_id, &mut state.unsaved, random);
        Self { cluster_id: cluster_id.into(), server_id }
    }

    /// A server that is a cluster by itself and has no name for it: that id is minted and kept as
    /// well. `random` is 32 fresh random bytes.
    ///
    /// Only for products that never have more than one node: in a cluster each node would mint a
    /// cluster of its own.
    #[must_use]
    pub fn single_node(state: &mut State, random: [u8; 32]) -> Self {
        let (of_cluster, of_server) = halves(random);
        let cluster_id = keep(&mut state.cluster_id, &mut state.unsaved, of_cluster);
        Self::new(state, cluster_id, of_server)
    }
}

fn keep(id: &mut Option<String>, unsaved: &mut bool, random: [u8; 16]) -> String {
    let minted = || {
        *unsaved = true;
        format!("{:032x}", u128::from_be_bytes(random))
    };
    id.get_or_insert_with(minted).clone()
}

fn halves(random: [u8; 32]) -> ([u8; 16], [u8; 16]) {
    let (mut first, mut second) = ([0; 16], [0; 16]);
    first.copy_from_slice(&random[..16]);
    second.copy_from_slice(&random[16..]);
    (first, second)
}
