// The sigmoid of x. Written with exp(-|x|), which is at most 1 and never overflows.
fn sigmoid(x: Real) -> Real {
    let e = exp(-abs(x));
    return select(e, Real(1.0), x >= Real()) / (1.0 + e);
}

// y = x * sigmoid(x).
fn activation(x: Real) -> Real {
    return x * sigmoid(x);
}

// dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x), by the input x: y has the same value on both sides of its minimum.
fn activation_gradient(x: Real, dy: Real) -> Real {
    let s = sigmoid(x);
    return dy * (s + x * (s * (1.0 - s)));
}
