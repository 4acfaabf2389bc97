"""Answers to the exercises of lesson 11: right ones, and mistakes that learners make."""

import numpy as np
import torch


def layer(backward, forward=lambda x, strength: x.view_as(x)):
    """An autograd function with this backward of (gradient, strength), as learners write it."""

    class Layer(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, strength):
            ctx.strength = strength
            return forward(x, strength)

        @staticmethod
        def backward(ctx, gradient):
            return backward(gradient, ctx.strength), None

    return Layer.apply


def by_detach(x, strength):
    return (1 + strength) * x.detach() - strength * x


def by_hook(x, strength):
    out = x.view_as(x)
    out.register_hook(lambda gradient: -strength * gradient)
    return out


def by_hook_on_x(x, strength):
    x.register_hook(lambda gradient: -strength * gradient)
    return x


def by_package(x, strength):
    from transferlab.adaptation import reverse_gradient

    return reverse_gradient(x, strength)


def in_place(x, strength):
    with torch.no_grad():
        x.mul_(-strength)
    return x


def stops(x, strength):
    return x.detach() - 0 * x


def h(q):
    return -(q * np.log(np.maximum(q, 1e-12))).sum(-1)


def by_hand(p):
    return h(p.mean(0)) - h(p).mean()


def by_torch(p):
    from transferlab.adaptation.losses import information_maximization

    return -float(information_maximization(torch.log(torch.from_numpy(p).clamp_min(1e-30))))


def without_zero(p):
    mean = p.mean(0)
    return -(mean * np.log(mean)).sum() + (p * np.log(p)).sum(1).mean()


def share(scores):
    return scores / scores.sum()


def weighted(d, q, s):
    return share((q * (1 - d / 2)) ** s)


ANSWERS = {
    "reversal": {
        "right": [by_detach, by_hook, by_package, layer(lambda g, s: -s * g)],
        "wrong": [
            (layer(lambda g, s: s * g), "minus is missing"),
            (by_hook_on_x, "that of the classes as well"),
            (layer(lambda g, s: -g), "strength is not used"),
            (layer(lambda g, s: 0 * g), "comes back is 0"),
            (stops, "comes back is 0"),
            (lambda x, s: x.detach(), "No gradient comes back"),
            (lambda x, s: -s * x, "-strength * x"),
            (lambda x, s: -x, "gives -x"),
            (layer(lambda g, s: -s * g, lambda x, s: s * x), "strength * x"),
            (layer(lambda g, s: -s * torch.ones_like(g)), "is ignored"),
            (layer(lambda g, s: -s * g.sign()), "gradient's sign"),
            (layer(lambda g, s: -g / s), "divides by"),
            (lambda x, s: x, "neither turned nor scaled"),
            (lambda x, s: x + s * x.detach() - s * x, "(1 - strength)"),
            (lambda x, s: (2 + s) * x.detach() - (1 + s) * x, "-(1 + strength)"),
            (in_place, "in place"),
            (lambda x, s: x.sum(), "shape changes"),
            (lambda x, s: x + 1, "numbers must stay"),
            (lambda x, s: x.detach().numpy(), "no tensor"),
            (lambda x, s: (x, None), "not several"),
            (torch.zeros(3), "no function"),
        ],
    },
    "information": {
        "right": [by_hand, by_torch],
        "wrong": [
            (lambda p: h(p).mean(), "one answer to all"),
            (lambda p: -h(p).mean(), "negative mean entropy"),
            (lambda p: h(p.mean(0)), "never decides"),
            (lambda p: -by_hand(p), "sign is turned"),
            (lambda p: h(p.mean(0)) + h(p).mean(), "are added"),
            (lambda p: by_hand(p) / np.log(2), "in bits"),
            (lambda p: h(p.mean(0)) - h(p), "more than one number"),
            (lambda p: h(p.mean(0)) - h(p).sum(), "summed"),
            (without_zero, "NaN"),
            (lambda p: 1.0, "values differ"),
            (0.5, "no function"),
        ],
    },
    "weights": {
        "right": [weighted, lambda d, q, s: share(np.exp(s * np.log(q * (2 - d))))],
        "wrong": [
            (lambda d, q, s: share((q * d / 2) ** s), "Far sources"),
            (lambda d, q, s: share((1 - d / 2) ** s), "qualities are not used"),
            (lambda d, q, s: share(q**s), "distances are not used"),
            (lambda d, q, s: share(q * (1 - d / 2)), "sharpness is not used"),
            (lambda d, q, s: share(q * (1 - d / 2) ** s), "one factor"),
            (lambda d, q, s: share((q + 1 - d / 2) ** s), "adds nearness"),
            (lambda d, q, s: share((q * (1 - d)) ** s), "reaches 2"),
            (lambda d, q, s: (q * (1 - d / 2)) ** s, "do not sum"),
            (lambda d, q, s: np.full(len(d), 1 / len(d)), "All weigh alike"),
            (lambda d, q, s: share(np.exp(-d * s)), "not the powers"),
            (lambda d, q, s: weighted(d, q, s)[:2], "As many weights"),
            (np.ones(4), "no function"),
        ],
    },
}
