// import shared/first_maximum.wgsl

// What the search for the first maximum of a row begins with: its first value. A single column says whether it is class 1: it
// begins with what the value must be above, and if it is not, the other class wins, whose place is 1 here.
fn opening(value: f32, threshold: f32) -> Best {
    if COLUMNS == 1u {
        return Best(threshold, 1u);
    }
    return Best(value, 0u);
}
