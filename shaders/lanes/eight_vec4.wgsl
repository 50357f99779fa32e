// import lanes/eight.wgsl

// Eights in buffers as they are, for devices without integers of 64 bits.
alias Eights = Eight;

fn unpacked(floats: Eights) -> Eight {
    return floats;
}

fn packed(eight: Eight) -> Eights {
    return eight;
}
