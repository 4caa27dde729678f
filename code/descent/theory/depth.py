"""Chapter 16, in closed form: depth and vanishing gradients."""

import numpy as np

# places and weights of the mean over a standard normal variable
_NODES = np.linspace(-9, 9, 3001)
_WEIGHTS = np.exp(-_NODES**2 / 2) / np.exp(-_NODES**2 / 2).sum()


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def layer_factor(q, weight_variance=2.0):
    """What one layer of sigmoids leaves of a small difference, either way.

    c = √(σ_w² E[h'(z)²]),  z normal with variance q                   (16.1)

    Backwards a gradient, forwards a difference between two inputs.

    >>> round(float(layer_factor(0.0, 16.0)), 9)
    1.0
    """
    h = _sigmoid(np.sqrt(q) * _NODES)
    slope = h * (1 - h)
    return np.sqrt(weight_variance * (_WEIGHTS * slope**2).sum())  # (16.1)


def input_variance(q, weight_variance=2.0):
    """Variance of a sigmoid unit's input, from that of the layer below.

    q_{k+1} = σ_w² E[h(z)²],  z normal with variance q_k               (16.2)

    weight_variance : σ_w², inputs times the variance of a weight

    >>> round(float(input_variance(0.0)), 9)
    0.5
    """
    h = _sigmoid(np.sqrt(q) * _NODES)
    return weight_variance * (_WEIGHTS * h**2).sum()  # (16.2)


def settled_variance(weight_variance=2.0):
    """The fixed point of `input_variance`: what it gives to itself.

    >>> round(float(settled_variance()), 3)
    0.555
    """
    q = 0.0
    for _ in range(100):
        q = input_variance(q, weight_variance)
    return q


def signal_to_noise(k, c, first=1.0):
    """Signal over noise of layer k's gradient, from that of layer 1.

    SNR_k = c^{k−1} SNR_1, while the network only knows class frequencies
                                                                      (16.3)

    >>> signal_to_noise(3, 0.5)
    0.25
    """
    return c ** (k - 1) * first  # (16.3)
