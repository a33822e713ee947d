//! usage-ureq
