// Mathematical functions, V -> V, in the words only: so the same bits on every instruction set. Beside each, the same
// name for Lane<f64> through std, so that a kernel body written with `auto` serves both.
#pragma once
#include "divide.h"
#include "erf.h"
#include "exp.h"
#include "hyperbolic.h"
#include "log.h"
#include "pow.h"
#include "trig.h"
