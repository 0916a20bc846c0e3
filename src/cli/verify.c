/* tgmon verify RUN|BUNDLE.tgz */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/text.h"
#include "core/proof/verify.h"
