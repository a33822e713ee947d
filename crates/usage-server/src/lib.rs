//! usage-server
