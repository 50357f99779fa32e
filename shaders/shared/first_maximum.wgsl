// Whether a value beats the best so far: only a greater one does, so that the first of equals stays.
struct Best {
    value: f32,
    place: u32,
}

fn better(best: Best, value: f32, place: u32) -> Best {
    if value > best.value {
        return Best(value, place);
    }
    return best;
}
