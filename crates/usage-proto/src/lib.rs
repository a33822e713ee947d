//! usage-proto
