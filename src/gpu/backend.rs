//! Which graphics APIs are searched for adapters: all that this build can use, or those that an environment variable
//! allows.

use wgpu::Backends;

/// The variable, which wgpu reads: names with commas between them.
const VARIABLE: &str = "WGPU_BACKEND";
/// The APIs that this crate is built for, with their names; each system has some of them.
const NAMES: [(Backends, &str); 3] =
    [(Backends::VULKAN, "vulkan"), (Backends::METAL, "metal"), (Backends::DX12, "dx12")];

/// Why no adapter can be found, whatever drivers there are, and what to do; `None` if the environment allows any API.
pub(crate) fn nothing_looked_at() -> Option<String> {
    let value = std::env::var(VARIABLE).ok()?;
    excluded(&value, wgpu::Instance::enabled_backend_features())
}

fn excluded(value: &str, enabled: Backends) -> Option<String> {
    if Backends::from_comma_list(value).intersects(enabled) {
        return None;
    }
    let names: Vec<_> =
        NAMES.iter().filter(|(backend, _)| enabled.contains(*backend)).map(|(_, name)| *name).collect();
    let is = match value.trim() {
        "" => "is empty".to_owned(),
        _ => format!("is `{value}`"),
    };
    Some(format!(
        "no adapter was searched for: the environment variable {VARIABLE} {is}, and of its values only {} can be used \
         here; unset it, or set it to that",
        names.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_leaves_nothing_is_named() {
        let (linux, windows) = (Backends::VULKAN, Backends::VULKAN | Backends::DX12);
        let rows = [
            ("vulkan", linux, None),
            ("VK", linux, None),
            ("metal, vulkan", linux, None),
            ("dx12", windows, None),
            ("gl", linux, Some("is `gl`, and of its values only vulkan can")),
            ("metal", linux, Some("is `metal`")),
            ("vulcan", linux, Some("is `vulcan`")),
            ("", linux, Some("is empty, and")),
            (" ", linux, Some("is empty")),
            ("gl", windows, Some("only vulkan or dx12 can")),
        ];
        for (value, enabled, expected) in rows {
            let found = excluded(value, enabled);
            let told = found.as_ref().zip(expected).is_some_and(|(text, part)| text.contains(part));
            assert_eq!(
                (found.is_some(), told),
                (expected.is_some(), expected.is_some()),
                "{value}: {found:?}"
            );
        }
    }
}
