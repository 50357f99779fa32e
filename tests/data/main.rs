//! The data module: real files compared with another reader, a table of every defect, and properties of any input.

mod builder;
mod defects;
mod emnist;
mod parts;
mod pictures;
mod properties;
mod real_files;
