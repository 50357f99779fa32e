//! A run as a page: its curves, mistakes, filters and settings in one self-contained HTML file. It belongs to the
//! program, whose commands it names.

mod canvas;
mod classes;
mod contents;
mod decided;
mod error;
mod html;
mod images;
mod layers;
mod logs;
mod mistakes;
mod outputs;
mod page;
mod pixels;
mod plots;
mod rates;

pub use contents::{Judged, RunReport};
pub use error::ReportError;
pub use logs::Logs;
pub use plots::{PLOTS, Plot, is_plot};
pub use rates::rate_plot;

impl RunReport<'_> {
    /// The page.
    pub fn html(&self) -> String {
        page::html(self)
    }
}
