// The largest element of a pooling window so far, and which one it is. With ReLU an element must be above zero to win;
// without, the first does.
struct Best {
    value: Real,
    element: Index,
}

fn better(best: Best, value: Real, element: u32) -> Best {
    let wins = value > best.value;
    if !RELU && element == 0u {
        return Best(value, Index());
    }
    return Best(select(best.value, value, wins), select(best.element, Index(element), wins));
}
