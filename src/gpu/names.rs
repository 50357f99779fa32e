//! Telling adapters apart.

use super::AdapterReport;

/// The names of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    name: String,
    pci: Option<String>,
}

/// The numbers of the adapters that a text means, ignoring case: those with this place on the PCI bus, else those
/// with exactly this name, else those with the text in their name.
pub(crate) fn meant_by(found: &[AdapterReport], text: &str) -> Vec<usize> {
    let names: Vec<_> = found.iter().map(|one| Names { name: one.name(), pci: one.pci() }).collect();
    matching(&names, text)
}

/// The adapters in words, with their numbers, so that the user can choose one.
pub(crate) fn listed(found: &[AdapterReport], numbers: impl IntoIterator<Item = usize>) -> String {
    let one = |number: usize| {
        let adapter = found.get(number)?;
        let pci = adapter.pci().map_or(String::new(), |place| format!(", PCI {place}"));
        Some(format!("{number}: {} ({}, {}{pci})", adapter.name(), adapter.kind(), adapter.backend()))
    };
    numbers.into_iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// What tells an adapter from others with its name: `, number 1, PCI 0000:01:00.0`; empty if its name is unique.
pub(crate) fn apart(found: &[AdapterReport], number: usize) -> String {
    let Some(adapter) = found.get(number) else { return String::new() };
    let alike = found.iter().filter(|other| other.name() == adapter.name()).count();
    match (alike, adapter.pci()) {
        (0 | 1, _) => String::new(),
        (_, Some(place)) => format!(", number {number}, PCI {place}"),
        (_, None) => format!(", number {number}"),
    }
}

fn matching(names: &[Names], text: &str) -> Vec<usize> {
    let wanted = text.to_lowercase();
    let all = |fits: &dyn Fn(&Names) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|&number| fits(&names[number])).collect()
    };
    let place = all(&|one| one.pci.as_ref().is_some_and(|place| place.to_lowercase() == wanted));
    let name = all(&|one| one.name.to_lowercase() == wanted);
    let part = all(&|one| one.name.to_lowercase().contains(&wanted));
    [place, name, part].into_iter().find(|numbers| !numbers.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_a_place_else_a_name_else_a_part_of_one() {
        let one = |name: &str, pci: &str| Names {
            name: name.to_owned(),
            pci: (!pci.is_empty()).then(|| pci.to_owned()),
        };
        let names = [
            one("Radeon RX 7600", "0000:0A:00.0"),
            one("Radeon RX 7600 XT", "0000:0b:00.0"),
            one("GeForce", "0000:01:00.0"),
            one("GeForce", "0000:02:00.0"),
            one("llvmpipe", ""),
        ];
        let rows: [(&str, &[usize]); 8] = [
            ("llvm", &[4]),
            ("xt", &[1]),
            ("radeon rx 7600", &[0]),
            ("Radeon", &[0, 1]),
            ("geforce", &[2, 3]),
            ("0000:0a:00.0", &[0]),
            ("0000:02:00.0", &[3]),
            ("arc", &[]),
        ];
        for (text, expected) in rows {
            assert_eq!(matching(&names, text), expected, "{text}");
        }
    }
}
