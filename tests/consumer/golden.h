/* SPDX-License-Identifier: Apache-2.0
 * Two samples for tests/golden/v1.octet and the bits of what it answers, on every machine. */
#ifndef OCTET_TESTS_CONSUMER_GOLDEN_H
#define OCTET_TESTS_CONSUMER_GOLDEN_H

enum { kBatch = 2 };
static const unsigned char kPixels[kBatch * 6] = {3,   245, 160, 152, 245, 216,
                                                  196, 111, 215, 9,   9,   231};
static const float kX[kBatch * 2] = {0.5F, -1.25F, 3.0F, 0.125F};
static const float kLogits[kBatch * 2] = {0x1.8bp-3F, -0x1.b3cp+0F, 0x1p-11F, 0x1.bcap+1F};
static const float kProbabilities[kBatch * 6] = {-0x1.018fa2p+0F, -0x1.3d4c86p+0F, -0x1.6e243p+0F,
                                                 -0x1.a16feep-1F, -0x1.db71ccp-1F, -0x1.512344p+0F,
                                                 -0x1.0e48d4p+0F, -0x1.2897d2p+0F, -0x1.496f7cp+0F,
                                                 -0x1.dae254p-1F, -0x1.f4e432p-1F, -0x1.3c6e8ep+0F};

#endif
