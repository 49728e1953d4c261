/* A machine of others: open62541, with the values that a test asks for.
   Arguments: port, status code (hexadecimal), type (double, float, int64, string), stale or live. */
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile UA_Boolean running = true;
static UA_NodeId flow;
static UA_StatusCode status;
static const char *kind;
static UA_Boolean stale;
static UA_DateTime since;
static int count;

static void stop(int sig) { (void)sig; running = false; }

static void write_value(UA_Server *server, void *data) {
    (void)data;
    UA_WriteValue write;
    UA_WriteValue_init(&write);
    write.nodeId = flow;
    write.attributeId = UA_ATTRIBUTEID_VALUE;
    write.value.hasValue = true;
    write.value.hasStatus = true;
    write.value.status = status;
    write.value.hasSourceTimestamp = true;
    write.value.sourceTimestamp = stale ? since : UA_DateTime_now();
    count++;
    UA_Double d = 48.0 + (stale ? 0 : (count % 10) / 10.0);
    UA_Float f = 6.1f;
    UA_Int64 i = 48;
    UA_String s = UA_STRING("48");
    if (!strcmp(kind, "float")) UA_Variant_setScalar(&write.value.value, &f, &UA_TYPES[UA_TYPES_FLOAT]);
    else if (!strcmp(kind, "int64")) UA_Variant_setScalar(&write.value.value, &i, &UA_TYPES[UA_TYPES_INT64]);
    else if (!strcmp(kind, "string")) UA_Variant_setScalar(&write.value.value, &s, &UA_TYPES[UA_TYPES_STRING]);
    else UA_Variant_setScalar(&write.value.value, &d, &UA_TYPES[UA_TYPES_DOUBLE]);
    UA_Server_write(server, &write);
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    status = (UA_StatusCode)strtoul(argv[2], NULL, 16);
    kind = argv[3];
    stale = !strcmp(argv[4], "stale");
    UA_Server *server = UA_Server_new();
    UA_ServerConfig_setMinimal(UA_Server_getConfig(server), (UA_UInt16)atoi(argv[1]), NULL);
    UA_UInt16 ns = UA_Server_addNamespace(server, "urn:zhidao:machine");
    UA_ObjectAttributes object = UA_ObjectAttributes_default;
    UA_NodeId machine;
    UA_Server_addObjectNode(server, UA_NODEID_NULL, UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
        UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT), UA_QUALIFIEDNAME(ns, "Machine"),
        UA_NODEID_NUMERIC(0, UA_NS0ID_BASEOBJECTTYPE), object, NULL, &machine);
    UA_VariableAttributes variable = UA_VariableAttributes_default;
    variable.dataType = UA_TYPES[UA_TYPES_VARIANT].typeId;
    UA_Server_addVariableNode(server, UA_NODEID_NULL, machine,
        UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT), UA_QUALIFIEDNAME(ns, "Flow"),
        UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), variable, NULL, &flow);
    since = UA_DateTime_now();
    write_value(server, NULL);
    UA_Server_addRepeatedCallback(server, write_value, NULL, 20.0, NULL);
    printf("ready\n");
    fflush(stdout);
    UA_StatusCode end = UA_Server_run(server, &running);
    UA_Server_delete(server);
    return end == UA_STATUSCODE_GOOD ? 0 : 1;
}
