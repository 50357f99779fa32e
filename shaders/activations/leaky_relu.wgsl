// y = x where x > 0, else SLOPE * x.
fn activation(x: Real) -> Real {
    return select(x, SLOPE * x, x <= Real());
}

// dx = dy where y > 0, else SLOPE * dy; the sign of y is that of x.
fn activation_gradient(y: Real, dy: Real) -> Real {
    return select(dy, SLOPE * dy, y <= Real());
}
