// SPDX-License-Identifier: Apache-2.0
// A host of octet that watches what octet does to it.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
