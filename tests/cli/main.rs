//! The program as its users see it: every command, every flag, every message, run as a process.
//!
//! Each test has its own folder with a tiny data set and a tiny model, so none depends on another. All output is
//! searched for traces of a panic.

mod bench;
mod classes;
mod cold_start;
mod crossval;
mod destinations;
mod devices;
mod early;
mod ending;
mod evaluate;
mod explain;
mod export;
mod failures;
mod force;
mod full_disk;
mod import;
mod interruptions;
mod last_activation;
mod launched;
mod layers;
mod layouts;
mod losses;
mod lr_find;
mod mistakes;
mod no_adapter;
mod own_pictures;
mod packaging;
mod palette;
#[cfg(target_os = "linux")]
mod paths;
mod photos;
#[cfg(unix)]
mod pictures;
mod predict;
mod predict_rows;
mod progress;
mod report;
mod resume;
mod same_data;
mod sandbox;
mod tables;
mod targets;
mod train;
mod train_files;
mod tune;
mod twins;
mod verify;
