//! The data module: real files compared with another reader, a table of every defect, and properties of any input.

mod arrays;
mod builder;
mod defects;
mod emnist;
mod forms;
mod names;
mod parts;
mod pictures;
mod properties;
mod real_files;
mod tables;
