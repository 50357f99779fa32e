//! The part of the page that shows which pixels decided.

use super::classes::name;
use super::contents::RunReport;
use super::decided::{Decided, Decision};
use super::html::{called, escaped};
use super::images::{Image, heat_gradient};
use crate::plan::PlanError;

/// What is shown, and what to make of it; then the mistakes, and the sure examples.
pub fn pixels(report: &RunReport<'_>, decided: &Result<Decided, PlanError>) -> String {
    let decided = match decided {
        Ok(decided) => decided,
        Err(error) => {
            return format!("<p>They cannot be computed: {}</p>\n", escaped(&error.to_string()));
        }
    };
    let all = |decisions: &[Decision]| -> String {
        let figures: String = decisions.iter().map(|decision| figure(report, decision)).collect();
        format!("<div class=\"decisions\">\n{figures}</div>\n")
    };
    let wrong = match decided.wrong.is_empty() {
        true => String::new(),
        false => format!(
            "<h3>Mistakes, the most certain first</h3>\n{}{}",
            all(&decided.wrong),
            match decided.wrong_left_out {
                0 => String::new(),
                _ => format!("<p>These are the first {} of the mistakes above.</p>\n", decided.wrong.len()),
            }
        ),
    };
    let right = match decided.right.is_empty() {
        true => "<p>No class was predicted correctly.</p>\n".to_owned(),
        false => format!(
            "<h3>The most confident correct prediction of each class</h3>\n{}{}",
            all(&decided.right),
            match decided.right_left_out {
                0 => String::new(),
                more =>
                    format!("<p>The most confident ones; those of {more} more classes are left out.</p>\n"),
            }
        ),
    };
    format!("{}{wrong}{right}", legend(decided))
}

fn legend(decided: &Decided) -> String {
    let heat = |layer: &String| {
        format!(
            "<p><b>Grad-CAM</b>, over the image: where the outputs of <code>{}</code> speak for the predicted class. \
             <span class=\"key\"><i style=\"background:{}\"></i> nowhere to most</span></p>\n",
            escaped(layer),
            heat_gradient()
        )
    };
    let heat = decided
        .layer
        .as_ref()
        .map_or_else(|| "<p>This model has no convolution for Grad-CAM to look at.</p>\n".to_owned(), heat);
    format!(
        "<p>For each image: the image itself, and which of its pixels the score of the predicted class follows. Each picture has its \
         own scale.</p>\n{heat}\
         <p><b>Saliency</b>: how much the score changes with a pixel. \
         <span class=\"key\"><i style=\"background:linear-gradient(to right,#000,#fff)\"></i> not at all to the largest hundredth</span></p>\n"
    )
}

/// The pictures of one prediction side by side.
fn figure(report: &RunReport<'_>, decision: &Decision) -> String {
    let prediction = decision.prediction;
    let [class, predicted] = [prediction.class, prediction.predicted].map(|class| name(report, class));
    let picture = |image: &Image, what: &str| {
        format!("<img src=\"{}\" alt=\"{what} test image {}\">", image.uri, prediction.index)
    };
    let grad_cam = decision.grad_cam.as_ref().map_or(String::new(), |image| picture(image, "Grad-CAM of"));
    let said = match prediction.class == prediction.predicted {
        true => format!("predicted <b>{predicted}</b>, correctly"),
        false => format!("predicted <b>{predicted}</b>, is <b>{class}</b>"),
    };
    format!(
        "<figure><div class=\"pictures\">{}{grad_cam}{}</div><figcaption>{said}<br>{:.2} % sure<br>\
         <small>{}</small></figcaption></figure>\n",
        picture(&decision.image, "the"),
        picture(&decision.saliency, "saliency of"),
        100.0 * prediction.probability,
        called("image", prediction.index, decision.name.as_deref())
    )
}
