// Rules about what the instructions of a stage come to.
#include "lint_cases.hpp"

namespace {

std::string undefined(const std::string& line, const std::string& name, const std::string& meant = {}) {
  return line + " UndefinedVar: Usage of undefined variable '$" + name + "'" +
         (meant.empty() ? "" : " (did you mean $" + meant + "?)");
}

std::vector<LintCase> variable_cases() {
  return {
      {"VarDefinedByArg", "FROM scratch\nARG A=1\nLABEL a=$A\n", {}},
      {"VarDefinedByEmptyArg", "FROM scratch\nARG A\nLABEL a=$A\n", {}},
      {"VarDefinedByEnv", "FROM scratch\nENV A=1\nLABEL a=$A\n", {}},
      {"VarDefinedByBase", "FROM with-env\nLABEL a=$FOO\n", {}},
      {"VarPathIsAlwaysThere", "FROM scratch\nENV PATH=/x:$PATH\n", {}},
      {"VarUndefined", "FROM scratch\nLABEL a=$A1\n", {undefined("2", "A1")}},
      {"VarMisspelt", "FROM scratch\nENV COLOUR=1\nLABEL a=$COLOR\n", {undefined("3", "COLOR", "COLOUR")}},
      {"VarMisspeltOfBase", "FROM with-env\nWORKDIR ${APP_HOM}/x\n", {undefined("2", "APP_HOM", "APP_HOME")}},
      {"VarTooFarForSuggestion", "FROM scratch\nENV ABCDEFG=1\nLABEL a=$ABCD\n", {undefined("3", "ABCD")}},
      {"VarWithDefault", "FROM scratch\nLABEL a=${A1:-x}\n", {undefined("2", "A1")}},
      {"VarWithAlternative", "FROM scratch\nLABEL a=${A1:+x}\n", {undefined("2", "A1")}},
      {"VarUsedBeforeDefinition", "FROM scratch\nLABEL a=$LATER\nENV LATER=1\n", {undefined("2", "LATER")}},
      {"VarOfSameInstruction", "FROM scratch\nENV A=1 B=$A\n", {undefined("2", "A")}},
      {"VarTwiceInInstruction", "FROM scratch\nLABEL a=$ONE b=$ONE\n", {undefined("2", "ONE"), undefined("2", "ONE")}},
      {"VarTwiceInWord", "FROM scratch\nLABEL a=$ONE$ONE\n", {undefined("2", "ONE")}},
      {"VarPositional", "FROM scratch\nLABEL a=$1\n", {undefined("2", "1")}},
      {"VarEscaped", "FROM scratch\nLABEL a=\\$A b='$B'\n", {}},
      {"VarInRunIsTheShells", "FROM scratch\nRUN echo $A\n", {}},
      {"VarInExecIsTheShells", "FROM scratch\nCMD [\"$A\"]\n", {}},
      {"VarGlobalNotDeclaredAgain", "ARG A=1\nFROM scratch\nLABEL a=$A1\n", {undefined("3", "A1")}},
      {"VarPlatformNotDeclared", "FROM scratch\nLABEL a=$TARGETARCH\n", {undefined("2", "TARGETARCH")}},
      {"VarPlatformDeclared", "FROM scratch\nARG TARGETARCH\nLABEL a=$TARGETARCH\n", {}},
      {"VarProxyNotDeclared",
       "FROM scratch\nLABEL a=$HTTP_PROXY\n",
       {undefined("2", "HTTP_PROXY")},
       {{"HTTP_PROXY", "http://p"}}},
      {"VarOfBaseStage", "FROM scratch AS a\nARG A=1\nENV B=2\nFROM a\nLABEL a=$A b=$B\n", {}},
      {"VarOfOtherStage", "FROM scratch AS a\nENV BBBB=2\nFROM scratch\nLABEL b=$BBBB\n", {undefined("4", "BBBB")}},
      {"VarOfUnreachableStage", "FROM scratch AS a\nUSER $WHO\nFROM scratch\n", {}, {}, "1"},
      {"VarInEachInstruction",
       "FROM scratch\nWORKDIR /$WW\nUSER $UU\nVOLUME /$VV\nSTOPSIGNAL ${SS:-TERM}\n",
       {undefined("2", "WW"), undefined("3", "UU"), undefined("4", "VV"), undefined("5", "SS")}},
      {"VarInExposeIsNoFinding", "FROM scratch\nEXPOSE ${PORT:-80}\n", {}},
      {"VarInCopy",
       "FROM scratch\nCOPY --chown=$CO --chmod=${CM:-755} $SRC $DST\n",
       {undefined("2", "CO"), undefined("2", "CM"), undefined("2", "SRC"), undefined("2", "DST")}},
      {"VarInMount", "FROM scratch\nRUN --mount=type=cache,target=/$CACHE true\n", {undefined("2", "CACHE")}},
      {"VarInHeredoc", "FROM scratch\nCOPY <<EOF /a\n$NOPE\nEOF\n", {undefined("2", "NOPE")}},
      {"VarInQuotedHeredoc", "FROM scratch\nCOPY <<'EOF' /a\n$NOPE\nEOF\n", {}},
      {"VarInRunHeredoc", "FROM scratch\nRUN <<EOF\necho $NOPE\nEOF\n", {}},
      {"VarInArgDefault", "FROM scratch\nARG A=$NOPE\n", {undefined("2", "NOPE")}},
      {"VarInArgDefaultNotUsed", "FROM scratch\nARG A=$NOPE\n", {}, {{"A", "1"}}},
      {"VarInTriggerStored", "FROM scratch\nONBUILD ENV A=$NOPE\n", {}},
      {"VarInTriggerOfStage", "FROM scratch AS a\nONBUILD ENV A=$NOPE\nFROM a\n", {undefined("3", "NOPE")}},
      {"VarOfSbomIsNoFinding", "FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=1\nLABEL a=$BUILDKIT_SBOM_SCAN_STAGE\n", {}},
      {"VarOfUnknownBase", "FROM alpine\nLABEL a=$SOMETHING\n", {undefined("2", "SOMETHING")}},
  };
}

std::vector<LintCase> workdir_cases() {
  const auto text = [](const std::string& line, const std::string& path) {
    return line + " WorkdirRelativePath: Relative workdir \"" + path +
           "\" can have unexpected results if the base image changes";
  };
  return {
      {"WorkdirAbsolute", "FROM scratch\nWORKDIR /a\n", {}},
      {"WorkdirRelative", "FROM scratch\nWORKDIR a/b\n", {text("2", "a/b")}},
      {"WorkdirRelativeBehindAbsolute", "FROM scratch\nWORKDIR /a\nWORKDIR b\n", {}},
      {"WorkdirFirstOnly", "FROM scratch\nWORKDIR a\nWORKDIR b\n", {text("2", "a")}},
      {"WorkdirOfBaseStage", "FROM scratch AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n", {}},
      {"WorkdirOfEachStage", "FROM scratch AS a\nWORKDIR /a\nFROM scratch\nWORKDIR b\n", {text("4", "b")}},
      {"WorkdirExpanded", "FROM with-env\nWORKDIR $APP_HOME\n", {}},
      {"WorkdirExpandedToRelative", "FROM with-env\nWORKDIR $FOO/x\n", {text("2", "bar/x")}},
      {"WorkdirEmptyArg", "FROM scratch\nARG D\nWORKDIR $D\n", {text("3", "")}},
      {"WorkdirOfTrigger", "FROM scratch AS a\nONBUILD WORKDIR x\nFROM a\n", {text("3", "x")}},
      {"WorkdirOfImageTriggers",
       "FROM with-onbuild\n",
       {undefined("1", "UNKNOWN"), text("1", "rel"),
        "1 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS "
        "signals"}},
  };
}

std::vector<LintCase> command_cases() {
  const auto json = [](const std::string& line, const std::string& name) {
    return line + " JSONArgsRecommended: JSON arguments recommended for " + name +
           " to prevent unintended behavior related to OS signals";
  };
  const auto multiple = [](const std::string& line, const std::string& name) {
    return line + " MultipleInstructionsDisallowed: Multiple " + name +
           " instructions should not be used in the same stage because only the last one will be used";
  };
  return {
      {"CmdExec", "FROM scratch\nCMD [\"a\"]\nENTRYPOINT [\"b\"]\n", {}},
      {"CmdShell", "FROM scratch\nCMD a b\n", {json("2", "CMD")}},
      {"EntrypointShell", "FROM scratch\nENTRYPOINT a b\n", {json("2", "ENTRYPOINT")}},
      {"CmdLower", "from scratch\ncmd a b\n", {json("2", "cmd")}},
      {"CmdBrokenJson", "FROM scratch\nCMD ['a']\n", {json("2", "CMD")}},
      {"CmdShellBehindShell", "FROM scratch\nSHELL [\"/bin/bash\", \"-c\"]\nCMD a\n", {}},
      {"CmdShellBeforeShell", "FROM scratch\nCMD a\nSHELL [\"/bin/bash\", \"-c\"]\n", {json("2", "CMD")}},
      {"CmdShellOfBase", "FROM with-shell\nCMD a\n", {}},
      {"CmdShellOfBaseStage", "FROM scratch AS a\nSHELL [\"/b\"]\nFROM a\nCMD x\n", {}},
      {"CmdEmptyJson", "FROM scratch\nCMD []\n", {}},
      {"RunShellIsFine", "FROM scratch\nRUN a b\nHEALTHCHECK CMD a b\n", {}},
      {"CmdTwice", "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\n", {multiple("2", "CMD")}},
      {"CmdThrice",
       "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]\n",
       {multiple("2", "CMD"), multiple("3", "CMD")}},
      {"EntrypointTwice", "FROM scratch\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\n", {multiple("2", "ENTRYPOINT")}},
      {"HealthcheckTwice", "FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK CMD a\n", {multiple("2", "HEALTHCHECK")}},
      {"CmdOfTwoStages", "FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n", {}},
      {"CmdTwiceInOtherCase",
       "FROM scratch\nUSER 1\ncmd [\"a\"]\nCMD [\"b\"]\n",
       {"3 ConsistentInstructionCasing: Command 'cmd' should match the case of the command majority (uppercase)",
        multiple("3", "CMD")}},
      {"CmdTwiceInUnreachable", "FROM scratch AS a\nCMD [\"a\"]\nCMD [\"b\"]\nFROM scratch\n", {}, {}, "1"},
  };
}

std::vector<LintCase> pair_cases() {
  const auto legacy = [](const std::string& line, const std::string& name) {
    return line + " LegacyKeyValueFormat: \"" + name + " key=value\" should be used instead of legacy \"" + name +
           " key value\" format";
  };
  const auto secret = [](const std::string& line, const std::string& name, const std::string& key) {
    return line + " SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (" + name + " \"" +
           key + "\")";
  };
  return {
      {"PairEquals", "FROM scratch\nENV A=1 B=2\nLABEL a=1\n", {}},
      {"PairLegacyEnv", "FROM scratch\nENV A 1 2\n", {legacy("2", "ENV")}},
      {"PairLegacyLabel", "FROM scratch\nLABEL a 1\n", {legacy("2", "LABEL")}},
      {"PairLegacyLower", "from scratch\nenv A 1\n", {legacy("2", "env")}},
      {"PairLegacyWithEqualsInValue", "FROM scratch\nENV A B=1\n", {legacy("2", "ENV")}},
      {"PairLegacyContinued", "FROM scratch\nENV A \\\n  1\n", {legacy("2", "ENV")}},
      {"SecretArg", "FROM scratch\nARG TOKEN\n", {secret("2", "ARG", "TOKEN")}},
      {"SecretEnv", "FROM scratch\nENV DATABASE_PASSWORD=x\n", {secret("2", "ENV", "DATABASE_PASSWORD")}},
      {"SecretFirstWord", "FROM scratch\nENV secret_message=x\n", {secret("2", "ENV", "secret_message")}},
      {"SecretMiddleWord", "FROM scratch\nENV MY_AUTH_URL=x\n", {secret("2", "ENV", "MY_AUTH_URL")}},
      {"SecretMixedCase", "FROM scratch\nARG Api_Key=1\n", {secret("2", "ARG", "Api_Key")}},
      {"SecretPartOfWord", "FROM scratch\nENV MONKEY=1 AUTHOR=2 TOKENS=3 SECRETARY=4\n", {}},
      {"SecretPublic", "FROM scratch\nENV PUBLIC_KEY=1\n", {}},
      {"SecretFile", "FROM scratch\nENV PASSWORD_FILE=/run/secrets/p\nARG TOKEN_VERSION=1\n", {}},
      {"SecretSeveral",
       "FROM scratch\nARG A TOKEN PASSWD=1\n",
       {secret("2", "ARG", "TOKEN"), secret("2", "ARG", "PASSWD")}},
      {"SecretGlobalArg", "ARG TOKEN\nFROM scratch\n", {}},
      {"SecretLabelIsFine", "FROM scratch\nLABEL token=1\n", {}},
      {"SecretByVariable", "FROM scratch\nARG N=TOKEN\nENV $N=1\n", {secret("3", "ENV", "TOKEN")}},
      {"SecretOfTrigger", "FROM scratch AS a\nONBUILD ARG TOKEN\nFROM a\n", {secret("3", "ARG", "TOKEN")}},
      {"PairLegacySecret", "FROM scratch\nENV TOKEN x\n", {legacy("2", "ENV"), secret("2", "ENV", "TOKEN")}},
  };
}

std::vector<LintCase> port_cases() {
  const auto casing = [](const std::string& line, const std::string& port) {
    return line + " ExposeProtoCasing: Defined protocol '" + port + "' in EXPOSE instruction should be lowercase";
  };
  const auto format = [](const std::string& line, const std::string& port) {
    return line +
           " ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, "
           "found '" +
           port + "'";
  };
  return {
      {"PortPlain", "FROM scratch\nEXPOSE 80 443/tcp 53/udp 5000-5010/sctp\n", {}},
      {"PortProtoUpper", "FROM scratch\nEXPOSE 80/TCP\n", {casing("2", "80/TCP")}},
      {"PortProtoMixed", "FROM scratch\nEXPOSE 53/Udp\n", {casing("2", "53/Udp")}},
      {"PortRangeProtoUpper", "FROM scratch\nEXPOSE 80-81/SCTP\n", {casing("2", "80-81/SCTP")}},
      {"PortProtoByArg", "FROM scratch\nARG P=TCP\nEXPOSE 80/$P\n", {casing("3", "80/TCP")}},
      {"PortSeveral", "FROM scratch\nEXPOSE 90/UDP 80/TCP 70\n", {casing("2", "80/TCP"), casing("2", "90/UDP")}},
      {"PortHost", "FROM scratch\nEXPOSE 8080:80\n", {format("2", "8080:80")}},
      {"PortAddress", "FROM scratch\nEXPOSE 127.0.0.1:80:80\n", {format("2", "127.0.0.1:80:80")}},
      {"PortAddressWithoutHostPort", "FROM scratch\nEXPOSE 127.0.0.1::80\n", {format("2", "127.0.0.1::80")}},
      {"PortAddressV6", "FROM scratch\nEXPOSE [::1]:80:80\n", {format("2", "[::1]:80:80")}},
      {"PortHostRange", "FROM scratch\nEXPOSE 90-91:80-81\n", {format("2", "90-91:80-81")}},
      {"PortHostProtoUpper",
       "FROM scratch\nEXPOSE 8080:80/TCP\n",
       {casing("2", "8080:80/TCP"), format("2", "8080:80/TCP")}},
      {"PortHostByArg", "FROM scratch\nARG P=\"8080:80 90\"\nEXPOSE $P\n", {format("3", "8080:80")}},
      {"PortColonAlone", "FROM scratch\nEXPOSE :80\n", {}},
      {"PortInvalid", "FROM scratch\nARG P=80/icmp\nEXPOSE $P\nLABEL a=$NOPE\n", {}, {}, "", {}, "invalid proto: icmp"},
  };
}

std::vector<LintCase> ignored_cases() {
  const auto copy = [](const std::string& line, const std::string& file) {
    return line + " CopyIgnoredFile: Attempting to Copy file \"" + file + "\" that is excluded by .dockerignore";
  };
  return {
      {"IgnoredNot", "FROM scratch\nCOPY a /\n", {}, {}, "", {"b"}},
      {"IgnoredFile", "FROM scratch\nCOPY a /\n", {copy("2", "a")}, {}, "", {"a"}},
      {"IgnoredParent", "FROM scratch\nCOPY dir/a /\n", {copy("2", "dir/a")}, {}, "", {"dir"}},
      {"IgnoredOneOfSeveral", "FROM scratch\nCOPY a b c /d/\n", {copy("2", "b")}, {}, "", {"b"}},
      {"IgnoredCleaned", "FROM scratch\nCOPY ./dir/../a/ /\n", {copy("2", "a")}, {}, "", {"a"}},
      {"IgnoredByAdd",
       "FROM scratch\nADD a /\n",
       {"2 CopyIgnoredFile: Attempting to Add file \"a\" that is excluded by .dockerignore"},
       {},
       "",
       {"a"}},
      {"IgnoredOfStage", "FROM scratch AS s\nFROM scratch\nCOPY --from=s a /\n", {}, {}, "", {"a"}},
      {"IgnoredUrl", "FROM scratch\nADD https://example.com/a /\n", {}, {}, "", {"https:"}},
      {"IgnoredByVariable", "FROM scratch\nARG A=a\nCOPY $A /\n", {copy("3", "a")}, {}, "", {"a"}},
      {"IgnoredRootNot", "FROM scratch\nCOPY . /\nCOPY / /\n", {}, {}, "", {"a"}},
      {"IgnoredRoot", "FROM scratch\nCOPY . /\n", {copy("2", ".")}, {}, "", {"."}},
      {"IgnoredWildcard", "FROM scratch\nCOPY *.txt /\n", {copy("2", "*.txt")}, {}, "", {"*.txt"}},
      {"IgnoredHeredocIsNoFile", "FROM scratch\nCOPY <<a /b\nEOF\na\n", {}, {}, "", {"a"}},
      {"IgnoredOfTrigger", "FROM scratch AS s\nONBUILD COPY a /\nFROM s\n", {copy("3", "a")}, {}, "", {"a"}},
  };
}

}  // namespace

std::vector<LintCase> lint_stage_cases() {
  std::vector<LintCase> all;
  for (const auto& cases :
       {variable_cases(), workdir_cases(), command_cases(), pair_cases(), port_cases(), ignored_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}
