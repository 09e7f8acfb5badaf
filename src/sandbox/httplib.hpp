#pragma once

// Debian's compiled cpp-httplib is built with OpenSSL support, which changes the layout of its classes: whoever
// includes the header must have the same macro.
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT
#endif

#include <httplib.h>
