//! Work on the database that blocks, beside the threads that answer.

use tokio::task::spawn_blocking;

use crate::app::App;
use crate::store::Store;
use crate::store::error::StoreError;

/// Runs what blocks.
pub(crate) async fn on_database<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = app.store.clone();
    spawn_blocking(move || work(&store))
        .await
        // It panicked, or the runtime goes down.
        .unwrap_or(Err(StoreError::Closed))
}
