//! Looks up names on a thread of its own.
//!
//! Nothing can interrupt the system's resolver, which waits for a silent name server for minutes.
//! On the pool of the runtime for what blocks it would hold up the end of the program for as long.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::watch;

/// The system's resolver. One look-up for a name goes on at a time, and whoever asks meanwhile
/// waits for what it finds: calls that were given up leave one thread behind, not one each.
#[derive(Clone, Default)]
pub(crate) struct Lookups(Arc<Mutex<HashMap<String, watch::Receiver<Option<Found>>>>>);

type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

impl Lookups {
    fn found(&self, name: &str) -> io::Result<watch::Receiver<Option<Found>>> {
        match self.under_way().entry(name.to_owned()) {
            Entry::Occupied(lookup) => Ok(lookup.get().clone()),
            Entry::Vacant(place) => {
                let (tell, found) = watch::channel(None);
                let (lookups, name) = (self.clone(), name.to_owned());
                let look_up = move || {
                    let found = (&*name, 0).to_socket_addrs().map(Vec::from_iter);
                    lookups.under_way().remove(&name);
                    tell.send_replace(Some(found.map_err(Arc::new)));
                };
                thread::Builder::new().name("usage-lookup".to_owned()).spawn(look_up)?;
                Ok(place.insert(found).clone())
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<Found>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for Lookups {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.found(name.as_str());
        Box::pin(async move {
            let found = found?.wait_for(Option::is_some).await?.clone();
            let addresses = found.unwrap_or_else(|| Ok(Vec::new()))?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}
