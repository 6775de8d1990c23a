"""Every root field for everyone who must not get through: one table for queries, one for mutations."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from caregraph import schema
from caregraph.app import built_schema
from caregraph.auth.viewer import GRANTABLE
from caregraph.graph.node import global_id, parse_id
from caregraph.organizations.models import Membership
from caregraph.scoring.instruments import instruments
from kit import Answer, Principal, World
from tenancy.two_towns import make_harbor, make_northfield

FIELDS = {root: set(schema.core(built_schema()).type_map[root].fields) for root in ("Query", "Mutation")}
UNAUTHENTICATED = ("UNAUTHENTICATED", "Authentication failed")
FORBIDDEN = ("FORBIDDEN", "Access denied")
EMPTY: dict[str, Any] = {"totalCount": 0, "nodes": []}
LIST = "{ totalCount nodes { id } }"
TOTALS = "{ totalCount nodes { total } }"


# Content that every member of its organization sees.
CONTENT = {
    *("assessment", "related", "item", "option", "scale", "domain", "tag", "config", "norm", "range"),
    *("placed", "scale_placed", "domain_placed", "weighed", "in_domain", "grant", "vertical_grant", "network_member"),
}


def _totals(*totals: float) -> dict[str, Any]:
    return {"totalCount": len(totals), "nodes": [{"total": total} for total in totals]}


# Field: query with Northfield's ids, then what Cleo (there, owner of none of it), Otto and Olga (user and superuser of
# Harbor) get. Nobody and the calculator are refused everywhere, except where ALSO says so.
QUERIES: dict[str, tuple[str, Any, Any, Any]] = {
    "hello": ("hello { apiReference }", *[{"apiReference": "/"}] * 3),
    "node": ("node(id: $ann) { id }", None, None, None),
    "nodes": ("nodes(ids: [$ann, $alone, $ann_rater, $ann_ors]) { id }", *[[None] * 4] * 3),
    "me": ("me { fullName }", {"fullName": "Cleo Cruz"}, {"fullName": "Otto Orr"}, {"fullName": "Olga Olsen"}),
    "user": ("user(id: $user) { fullName locale }", {"fullName": "Ben Borg", "locale": None}, None, None),
    "users": (
        "users { totalCount nodes { fullName } }",
        FORBIDDEN,
        FORBIDDEN,
        {"totalCount": 2, "nodes": [{"fullName": "Olga Olsen"}, {"fullName": "Otto Orr"}]},
    ),
    "grantedPermission": ("grantedPermission(id: $granted) { key }", None, None, None),
    "userPermissions": ("userPermissions(userId: $user) { totalCount nodes { id } }", FORBIDDEN, FORBIDDEN, EMPTY),
    "invitation": ("invitation(id: $invitation) { id }", FORBIDDEN, FORBIDDEN, None),
    "invitations": (
        "invitations { totalCount nodes { organizationName } }",
        FORBIDDEN,
        FORBIDDEN,
        {"totalCount": 1, "nodes": [{"organizationName": "Harbor"}]},
    ),
    "openInvitation": ('openInvitation(token: "guessed") { id }', None, None, None),
    "features": ("features", [], ["assessments_web.harbor"], []),
    "featureFlag": ("featureFlag(id: $feature) { id }", None, None, None),
    "featureFlags": (
        "featureFlags { totalCount nodes { name } }",
        EMPTY,
        *[{"totalCount": 1, "nodes": [{"name": "assessments_web.harbor"}]}] * 2,
    ),
    "auditEvent": ("auditEvent(id: $entry) { kind }", FORBIDDEN, FORBIDDEN, None),
    "auditEvents": (
        "auditEvents(client: $ann) { totalCount nodes { id } }",
        FORBIDDEN,
        FORBIDDEN,
        {"totalCount": 0, "nodes": []},
    ),
    "currentUser": (
        "currentUser { email organizations { name } permissions { key } }",
        {
            "email": "cleo@northfield.example",
            "organizations": [{"name": "Northfield"}],
            "permissions": [{"key": "CREATE_DEPLOYMENT"}],
        },
        {
            "email": "otto@harbor.example",
            "organizations": [{"name": "Harbor"}],
            "permissions": [{"key": "CREATE_DEPLOYMENT"}],
        },
        {
            "email": "olga@harbor.example",
            "organizations": [{"name": "Harbor"}],
            "permissions": [{"key": key} for key in sorted(GRANTABLE)],
        },
    ),
    "organization": ("organization(id: $northfield) { name }", {"name": "Northfield"}, None, None),
    "organizations": (
        "organizations { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Northfield"}]},
        *[{"totalCount": 1, "nodes": [{"name": "Harbor"}]}] * 2,
    ),
    "location": ("location(id: $location) { name }", {"name": "Town hall"}, None, None),
    "locations": (
        "locations { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Town hall"}]},
        *[{"totalCount": 1, "nodes": [{"name": "HIDDEN harbor house"}]}] * 2,
    ),
    "selectableFields": ('selectableFields(type: "Label") { name }', *[[{"name": "id"}, {"name": "name"}]] * 3),
    "application": ("application(id: $application) { name }", FORBIDDEN, FORBIDDEN, None),
    "applications": (
        "applications { totalCount nodes { name } }",
        FORBIDDEN,
        FORBIDDEN,
        {"totalCount": 1, "nodes": [{"name": "HIDDEN harbor program"}]},
    ),
    "accessToken": ("accessToken(id: $access_token) { id }", FORBIDDEN, FORBIDDEN, None),
    "apiKey": ("apiKey(id: $api_key) { id }", FORBIDDEN, FORBIDDEN, None),
    "apiKeys": ("apiKeys { id }", FORBIDDEN, FORBIDDEN, FORBIDDEN),
    "calculatorPlan": ("calculatorPlan(id: $plan) { email }", FORBIDDEN, FORBIDDEN, None),
    "calculatorPlans": (
        "calculatorPlans { totalCount nodes { email } }",
        FORBIDDEN,
        FORBIDDEN,
        {"totalCount": 1, "nodes": [{"email": "HIDDEN harbor program@x.example"}]},
    ),
    "client": ("client(id: $ann) { id }", None, None, None),
    "clients": (f'clients(search: "Ann") {LIST}', EMPTY, EMPTY, EMPTY),
    "consent": ("consent(id: $ann_consent) { id }", None, None, None),
    "exportClient": ("exportClient(id: $ann)", None, None, None),
    "file": ("file(id: $ann_file) { id }", None, None, None),
    "apiToken": ("apiToken(id: $token) { id }", None, None, None),
    "apiTokens": ("apiTokens { totalCount }", *[{"totalCount": 1}] * 3),
    "group": ("group(id: $group) { bio }", {"bio": "Of the town"}, None, None),
    "groups": (
        'groups(where: {name: {eq: "Nurses"}}) { totalCount nodes { bio } }',
        {"totalCount": 1, "nodes": [{"bio": "Of the town"}]},
        EMPTY,
        EMPTY,
    ),
    "label": ("label(id: $label) { name }", {"name": "Winter"}, None, None),
    "labels": (
        'labels(where: {name: {eq: "Winter"}}) { totalCount nodes { name } }',
        {"totalCount": 1, "nodes": [{"name": "Winter"}]},
        EMPTY,
        EMPTY,
    ),
    "episode": ("episode(id: $alone) { id }", None, None, None),
    "episodes": (f'episodes(search: "Alone") {LIST}', EMPTY, EMPTY, EMPTY),
    "rater": ("rater(id: $ann_rater) { id }", None, None, None),
    "session": ("session(id: $alone_session) { id }", None, None, None),
    "sessions": (f'sessions(where: {{sessionDate: {{eq: "2026-02-02"}}}}) {LIST}', EMPTY, EMPTY, EMPTY),
    "orsScore": ("orsScore(id: $ann_ors) { id }", None, None, None),
    "orsScores": (f"orsScores {TOTALS}", _totals(28.0, 36.0, 24.0), _totals(24.0), _totals(24.0)),
    "srsScore": ("srsScore(id: $ann_srs) { id }", None, None, None),
    "srsScores": (f"srsScores {TOTALS}", _totals(32.0), _totals(24.0), _totals(24.0)),
    "item": ("item(id: $item) { text }", {"text": "Of the town"}, None, None),
    "itemOption": ("itemOption(id: $option) { text }", {"text": "Of the town"}, None, None),
    "scale": ("scale(id: $scale) { name }", {"name": "Of the town"}, None, None),
    "domain": ("domain(id: $domain) { name }", {"name": "Of the town"}, None, None),
    "assessment": ("assessment(id: $assessment) { title }", {"title": "Of the town"}, None, None),
    "tag": ("tag(id: $tag) { name }", {"name": "Of the town"}, None, None),
    "resultRange": ("resultRange(id: $range) { name }", {"name": "Of the town"}, None, None),
    "scoreConfig": ("scoreConfig(id: $config) { name }", {"name": "Of the town"}, None, None),
    "scoreConfigs": (
        "scoreConfigs(where: {status: {eq: PUBLISHED}}) { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"name": "HIDDEN harbor"}]}] * 2,
    ),
    "resultScores": (
        'resultScores(slug: "barna-pulse-pastor-poll") { label }',
        *[[{"label": one} for one in ("Flourishing", "Trusting", "Growing", "Exploring", "Unwavering", "Enduring")]]
        * 3,
    ),
    "assessmentItem": ("assessmentItem(id: $placed) { position }", {"position": 1}, None, None),
    "itemScale": ("itemScale(id: $weighed) { position }", {"position": 1}, None, None),
    "percentileRankConfig": ("percentileRankConfig(id: $norm) { mean }", {"mean": "10.0"}, None, None),
    "verticalAccessGrant": (
        "verticalAccessGrant(id: $vertical_grant) { vertical }",
        {"vertical": "SCHOOL"},
        None,
        None,
    ),
    "assessmentScale": (
        "assessmentScale(id: $scale_placed) { scale { name } }",
        {"scale": {"name": "Of the town"}},
        None,
        None,
    ),
    "assessmentDomain": (
        "assessmentDomain(id: $domain_placed) { domain { name } }",
        {"domain": {"name": "Of the town"}},
        None,
        None,
    ),
    "domainScale": ("domainScale(id: $in_domain) { scale { name } }", {"scale": {"name": "Of the town"}}, None, None),
    "accessGrant": ("accessGrant(id: $grant) { item { text } }", {"item": {"text": "Of the town"}}, None, None),
    "networkMember": (
        "networkMember(id: $network_member) { network { name } }",
        {"network": {"name": "Northfield"}},
        None,
        None,
    ),
    "customCalculation": ("customCalculation(id: $calculation) { id }", None, None, None),
    "calculationVariable": ("calculationVariable(id: $variable) { id }", None, None, None),
    "answerSet": ("answerSet(id: $answers) { id }", None, None, None),
    "itemResponse": ("itemResponse(id: $response) { id }", None, None, None),
    "answerScore": ("answerScore(id: $answer_score) { id }", None, None, None),
    "items": (
        "items { totalCount nodes { text } }",
        {"totalCount": 1, "nodes": [{"text": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"text": "HIDDEN harbor"}]}] * 2,
    ),
    "scales": (
        "scales { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"name": "HIDDEN harbor"}]}] * 2,
    ),
    "domains": (
        "domains { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"name": "HIDDEN harbor"}]}] * 2,
    ),
    "tags": (
        "tags { totalCount nodes { name } }",
        {"totalCount": 1, "nodes": [{"name": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"name": "HIDDEN harbor"}]}] * 2,
    ),
    "assessments": (
        "assessments(where: {status: {eq: PUBLISHED}}) { totalCount nodes { title } }",
        {"totalCount": 1, "nodes": [{"title": "Of the town"}]},
        *[{"totalCount": 1, "nodes": [{"title": "HIDDEN harbor"}]}] * 2,
    ),
    "networkMembers": (
        "networkMembers { totalCount nodes { network { name } } }",
        {"totalCount": 1, "nodes": [{"network": {"name": "Northfield"}}]},
        *[{"totalCount": 1, "nodes": [{"network": {"name": "Harbor"}}]}] * 2,
    ),
    "answerSets": (
        "answerSets { totalCount nodes { client { fullName } } }",
        EMPTY,
        *[{"totalCount": 1, "nodes": [{"client": {"fullName": "HIDDEN Kay"}}]}] * 2,
    ),
    "instruments": ("instruments { installed { id } }", *[[{"installed": None}] * len(instruments())] * 3),
    "fhirBundle": ("fhirBundle(clientId: $ann)", *[{"resourceType": "Bundle", "type": "collection"}] * 3),
    "scoresTable": (
        "scoresTable { rowCount ors srs }",
        {"rowCount": 3, "ors": [28.0, 36.0, 24.0], "srs": [32.0, None, None]},
        {"rowCount": 1, "ors": [24.0], "srs": [24.0]},
        {"rowCount": 1, "ors": [24.0], "srs": [24.0]},
    ),
    "userStatistics": ("userStatistics(userId: $user) { total { nClients } }", FORBIDDEN, FORBIDDEN, None),
    "organizationStatistics": (
        "organizationStatistics { total { nClients nOrs } }",
        FORBIDDEN,
        FORBIDDEN,
        {"total": {"nClients": 1, "nOrs": 1}},
    ),
    "remainingCalculatorRequests": ("remainingCalculatorRequests", FORBIDDEN, FORBIDDEN, FORBIDDEN),
}
ALSO = {
    ("hello", "nobody"): {"apiReference": "/"},
    ("hello", "calculator"): {"apiReference": "/"},
    ("openInvitation", "nobody"): None,
    ("openInvitation", "calculator"): None,
    ("remainingCalculatorRequests", "calculator"): 3,
}
LINES = "input: {individually: 1, interpersonally: 1, socially: 1, overall: 1}"
SRS_LINES = "input: {relationship: 1, goalsAndTopics: 1, approachOrMethod: 1, overall: 1}"
NODE = "{ node { id } errors { code message path } }"
GONE = "{ deletedId errors { code message path } }"


def _missing(kind: str, argument: str = "id", of: str = "node") -> dict[str, Any]:
    return {of: None, "errors": [{"code": "NOT_FOUND", "message": f"{kind} not found", "path": argument.split(".")}]}


def _both(kind: str, argument: str = "id", of: str = "node") -> list[dict[str, Any]]:
    return [_missing(kind, argument, of)] * 2


# Field: mutation of Northfield's rows, then what Cleo and Olga get. Nobody and the calculator are refused everywhere.
MUTATIONS: dict[str, tuple[str, Any, Any]] = {
    "updateOrganization": (
        f'updateOrganization(id: $northfield, input: {{name: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("Organization"),
    ),
    "createLocation": (
        f"createLocation(organizationId: $northfield, input: {{}}) {NODE}",
        FORBIDDEN,
        _missing("Organization", "organizationId"),
    ),
    "updateLocation": (f'updateLocation(id: $location, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Location")),
    "updateUser": (f'updateUser(id: $user, input: {{locale: "x"}}) {NODE}', FORBIDDEN, _missing("User")),
    "deleteUser": (f"deleteUser(id: $user, force: true) {GONE}", FORBIDDEN, _missing("User", of="deletedId")),
    "addUserRole": (f"addUserRole(id: $user, role: AGENCY_ADMIN) {NODE}", FORBIDDEN, _missing("User")),
    "removeUserRole": (f"removeUserRole(id: $user, role: AUDITING) {NODE}", FORBIDDEN, _missing("User")),
    "setUserPermissions": (
        f"setUserPermissions(id: $user, permissionKeys: []) {NODE}",
        FORBIDDEN,
        _missing("User"),
    ),
    "resendInvitation": (f"resendInvitation(id: $invitation) {NODE}", FORBIDDEN, _missing("Invitation")),
    "deleteInvitation": (
        f"deleteInvitation(id: $invitation) {GONE}",
        FORBIDDEN,
        _missing("Invitation", of="deletedId"),
    ),
    "switchFeature": (
        f'switchFeature(name: "assessments_web.x", enabled: true, userIds: [$user]) {NODE}',
        FORBIDDEN,
        _missing("User", "userIds"),
    ),
    "deleteClient": (f"deleteClient(id: $ann, force: true) {GONE}", *_both("Client", of="deletedId")),
    "recordConsent": (
        f"recordConsent(clientId: $ann, kind: SMS, given: true) {NODE}",
        *_both("Client", "clientId"),
    ),
    "eraseClient": (f"eraseClient(id: $ann) {NODE}", FORBIDDEN, _missing("Client")),
    "deleteFile": (f"deleteFile(id: $ann_file) {GONE}", *_both("File", of="deletedId")),
    "setClientOwners": (f"setClientOwners(id: $ann, userIds: [$user]) {NODE}", *_both("Client")),
    "setClientLabels": (f"setClientLabels(id: $ann, labelIds: []) {NODE}", *_both("Client")),
    "setClientGroups": (f"setClientGroups(id: $ann, groups: []) {NODE}", *_both("Client")),
    "addClientToGroup": (f"addClientToGroup(id: $ann, groupId: $group) {NODE}", *_both("Client")),
    "removeClientFromGroup": (f"removeClientFromGroup(id: $ann, groupId: $group) {NODE}", *_both("Client")),
    "setUserGroups": (f"setUserGroups(id: $user, groupIds: [$group]) {NODE}", FORBIDDEN, _missing("User")),
    "updateGroup": (f'updateGroup(id: $group, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Group")),
    "deleteGroup": (f"deleteGroup(id: $group, force: true) {GONE}", FORBIDDEN, _missing("Group", of="deletedId")),
    "revokeApiToken": (f"revokeApiToken(id: $token) {GONE}", *_both("ApiToken", of="deletedId")),
    "signUserOut": (f"signUserOut(id: $user) {NODE}", FORBIDDEN, _missing("User")),
    "updateLabel": (f'updateLabel(id: $label, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Label")),
    "deleteLabel": (f"deleteLabel(id: $label, force: true) {GONE}", FORBIDDEN, _missing("Label", of="deletedId")),
    "updateClient": (f'updateClient(id: $ann, input: {{fullName: "x"}}) {NODE}', *_both("Client")),
    "createEpisode": (
        f'createEpisode(clientId: $ann, input: {{title: "x", startDate: "2026-01-01"}}) {NODE}',
        *_both("Client", "clientId"),
    ),
    "updateEpisode": (f'updateEpisode(id: $alone, input: {{title: "x"}}) {NODE}', *_both("Episode")),
    "deleteEpisode": (f"deleteEpisode(id: $alone, force: true) {GONE}", *_both("Episode", of="deletedId")),
    "setEpisodeLabels": (f"setEpisodeLabels(id: $alone, labelIds: []) {NODE}", *_both("Episode")),
    "addClientToEpisode": (f"addClientToEpisode(id: $alone, clientId: $ann) {NODE}", *_both("Episode")),
    "removeClientFromEpisode": (
        f"removeClientFromEpisode(id: $alone, clientId: $ann, force: true) {NODE}",
        *_both("Episode"),
    ),
    "createRater": (
        f'createRater(episodeId: $alone, clientId: $ann, input: {{fullName: "x"}}) {NODE}',
        *_both("Episode", "episodeId"),
    ),
    "updateRater": (f'updateRater(id: $ann_rater, input: {{fullName: "x"}}) {NODE}', *_both("Rater")),
    "deleteRater": (f"deleteRater(id: $ann_rater, force: true) {GONE}", *_both("Rater", of="deletedId")),
    "createSession": (
        f'createSession(episodeId: $alone, input: {{sessionDate: "2026-01-01"}}) {NODE}',
        *_both("Episode", "episodeId"),
    ),
    "updateSession": (
        f'updateSession(id: $alone_session, input: {{sessionDate: "2026-01-01"}}) {NODE}',
        *_both("Session"),
    ),
    "deleteSession": (f"deleteSession(id: $alone_session, force: true) {GONE}", *_both("Session", of="deletedId")),
    "createClientOrsScore": (
        f"createClientOrsScore(sessionId: $alone_session, clientId: $ann, {LINES}) {NODE}",
        *_both("Session", "sessionId"),
    ),
    "createRaterOrsScore": (
        f"createRaterOrsScore(sessionId: $alone_session, raterId: $ann_rater, {LINES}) {NODE}",
        *_both("Session", "sessionId"),
    ),
    "updateOrsScore": (f"updateOrsScore(id: $ann_ors, input: {{overall: 9}}) {NODE}", *_both("OrsScore")),
    "deleteOrsScore": (f"deleteOrsScore(id: $ann_ors) {GONE}", *_both("OrsScore", of="deletedId")),
    "createClientSrsScore": (
        f"createClientSrsScore(sessionId: $alone_session, clientId: $ann, {SRS_LINES}) {NODE}",
        *_both("Session", "sessionId"),
    ),
    "createRaterSrsScore": (
        f"createRaterSrsScore(sessionId: $alone_session, raterId: $ann_rater, {SRS_LINES}) {NODE}",
        *_both("Session", "sessionId"),
    ),
    "updateSrsScore": (f"updateSrsScore(id: $ann_srs, input: {{overall: 9}}) {NODE}", *_both("SrsScore")),
    "deleteSrsScore": (f"deleteSrsScore(id: $ann_srs) {GONE}", *_both("SrsScore", of="deletedId")),
    "updateApplication": (
        f'updateApplication(id: $application, input: {{name: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("Application"),
    ),
    "rotateApplicationSecret": (
        f"rotateApplicationSecret(id: $application) {NODE}",
        FORBIDDEN,
        _missing("Application"),
    ),
    "setApplicationGroups": (
        f"setApplicationGroups(id: $application, groupIds: []) {NODE}",
        FORBIDDEN,
        _missing("Application"),
    ),
    "deleteApplication": (
        f"deleteApplication(id: $application) {GONE}",
        FORBIDDEN,
        _missing("Application", of="deletedId"),
    ),
    "revokeAccessToken": (f"revokeAccessToken(id: $access_token) {NODE}", FORBIDDEN, _missing("AccessToken")),
    "deleteApiKey": (f"deleteApiKey(id: $api_key) {GONE}", FORBIDDEN, _missing("ApiKey", of="deletedId")),
    "updateCalculatorPlan": (
        f"updateCalculatorPlan(id: $plan, input: {{remainingRequests: 9}}) {NODE}",
        FORBIDDEN,
        _missing("CalculatorPlan"),
    ),
    "rotateCalculatorCredentials": (
        f"rotateCalculatorCredentials(id: $plan) {NODE}",
        FORBIDDEN,
        _missing("CalculatorPlan"),
    ),
    "revokeCalculatorCredentials": (
        f"revokeCalculatorCredentials(id: $plan) {NODE}",
        FORBIDDEN,
        _missing("CalculatorPlan"),
    ),
    "updateAssessment": (
        f'updateAssessment(id: $assessment, input: {{title: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("Assessment"),
    ),
    "cloneAssessment": (f"cloneAssessment(id: $assessment) {NODE}", FORBIDDEN, _missing("Assessment")),
    "archiveAssessment": (f"archiveAssessment(id: $assessment) {NODE}", FORBIDDEN, _missing("Assessment")),
    "updateScale": (f'updateScale(id: $scale, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Scale")),
    "cloneScale": (f"cloneScale(id: $scale) {NODE}", FORBIDDEN, _missing("Scale")),
    "archiveScale": (f"archiveScale(id: $scale) {NODE}", FORBIDDEN, _missing("Scale")),
    "updateDomain": (f'updateDomain(id: $domain, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Domain")),
    "cloneDomain": (f"cloneDomain(id: $domain) {NODE}", FORBIDDEN, _missing("Domain")),
    "archiveDomain": (f"archiveDomain(id: $domain) {NODE}", FORBIDDEN, _missing("Domain")),
    **{
        f"{verb}{kind}{to}Assessment": (
            f"{verb}{kind}{to}Assessment(id: $assessment, {kind.lower()}Id: ${kind.lower()}) {NODE}",
            FORBIDDEN,
            _missing("Assessment"),
        )
        for verb, to in (("add", "To"), ("remove", "From"))
        for kind in ("Scale", "Domain")
    },
    "addScaleToDomain": (f"addScaleToDomain(id: $domain, scaleId: $scale) {NODE}", FORBIDDEN, _missing("Domain")),
    "removeScaleFromDomain": (
        f"removeScaleFromDomain(id: $domain, scaleId: $scale) {NODE}",
        FORBIDDEN,
        _missing("Domain"),
    ),
    **{
        f"grant{kind}Access": (
            f"grant{kind}Access({kind.lower()}Id: ${kind.lower()}, organizationId: $northfield) {NODE}",
            FORBIDDEN,
            _missing(kind, f"{kind.lower()}Id"),
        )
        for kind in ("Assessment", "Item", "Scale", "Domain")
    },
    "deleteAccessGrant": (
        f"deleteAccessGrant(id: $grant) {GONE}",
        FORBIDDEN,
        _missing("AccessGrant", of="deletedId"),
    ),
    "shareAssessmentWithOrganizations": (
        f"shareAssessmentWithOrganizations(id: $assessment, organizationIds: [$northfield]) {NODE}",
        FORBIDDEN,
        _missing("Assessment"),
    ),
    "shareAssessmentWithVerticals": (
        f"shareAssessmentWithVerticals(id: $assessment, verticalKeys: [SCHOOL]) {NODE}",
        FORBIDDEN,
        _missing("Assessment"),
    ),
    "deleteNetworkMember": (
        f"deleteNetworkMember(id: $network_member) {GONE}",
        FORBIDDEN,
        _missing("NetworkMember", of="deletedId"),
    ),
    "createItemScoreConfig": (
        f'createItemScoreConfig(itemId: $item, input: {{name: "x", description: "x", scoreType: CUSTOM_CALCULATION}}) {NODE}',
        FORBIDDEN,
        _missing("Item", "itemId"),
    ),
    "createScaleScoreConfig": (
        f'createScaleScoreConfig(scaleId: $scale, input: {{name: "x", description: "x", scoreType: CUSTOM_CALCULATION}}) {NODE}',
        FORBIDDEN,
        _missing("Scale", "scaleId"),
    ),
    "createDomainScoreConfig": (
        f'createDomainScoreConfig(domainId: $domain, input: {{name: "x", description: "x", scoreType: CUSTOM_CALCULATION}}) {NODE}',
        FORBIDDEN,
        _missing("Domain", "domainId"),
    ),
    "updateScoreConfig": (
        f'updateScoreConfig(id: $config, input: {{name: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("ScoreConfig"),
    ),
    "deleteScoreConfig": (f"deleteScoreConfig(id: $draft) {GONE}", FORBIDDEN, _missing("ScoreConfig", of="deletedId")),
    "createCustomCalculation": (
        f"createCustomCalculation(scoreConfigId: $draft, scoreScope: COHORT) {NODE}",
        FORBIDDEN,
        _missing("ScoreConfig", "scoreConfigId"),
    ),
    "updateCustomCalculation": (
        f'updateCustomCalculation(id: $calculation, input: {{expression: "1"}}) {NODE}',
        FORBIDDEN,
        _missing("CustomCalculation"),
    ),
    "deleteCustomCalculation": (
        f"deleteCustomCalculation(id: $calculation) {GONE}",
        FORBIDDEN,
        _missing("CustomCalculation", of="deletedId"),
    ),
    "createCalculationVariable": (
        f'createCalculationVariable(customCalculationId: $calculation, scoreConfigId: $config, input: {{name: "B"}}) {NODE}',
        FORBIDDEN,
        _missing("CustomCalculation", "customCalculationId"),
    ),
    "updateCalculationVariable": (
        f'updateCalculationVariable(id: $variable, input: {{name: "A"}}) {NODE}',
        FORBIDDEN,
        _missing("CalculationVariable"),
    ),
    "deleteCalculationVariable": (
        f"deleteCalculationVariable(id: $variable) {GONE}",
        FORBIDDEN,
        _missing("CalculationVariable", of="deletedId"),
    ),
    "createPercentileRankConfig": (
        f'createPercentileRankConfig(scoreConfigId: $config, input: {{mean: "1", standardDeviation: "1"}}) {NODE}',
        FORBIDDEN,
        _missing("ScoreConfig", "scoreConfigId"),
    ),
    "updatePercentileRankConfig": (
        f'updatePercentileRankConfig(id: $norm, input: {{mean: "1"}}) {NODE}',
        FORBIDDEN,
        _missing("PercentileRankConfig"),
    ),
    "deletePercentileRankConfig": (
        f"deletePercentileRankConfig(id: $norm) {GONE}",
        FORBIDDEN,
        _missing("PercentileRankConfig", of="deletedId"),
    ),
    "createScaleResultRange": (
        f'createScaleResultRange(scaleId: $scale, input: {{name: "x", description: "x", rangeStart: "8", rangeEnd: "9"}}) {NODE}',
        FORBIDDEN,
        _missing("Scale", "scaleId"),
    ),
    "createDomainResultRange": (
        f'createDomainResultRange(domainId: $domain, input: {{name: "x", description: "x", rangeStart: "8", rangeEnd: "9"}}) {NODE}',
        FORBIDDEN,
        _missing("Domain", "domainId"),
    ),
    "updateResultRange": (
        f'updateResultRange(id: $range, input: {{name: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("ResultRange"),
    ),
    "deleteResultRange": (f"deleteResultRange(id: $range) {GONE}", FORBIDDEN, _missing("ResultRange", of="deletedId")),
    "createAnswerSet": (
        f"createAnswerSet(assessmentId: $assessment, clientId: $ann, input: {{}}) {NODE}",
        _missing("Client", "clientId"),
        _missing("Assessment", "assessmentId"),
    ),
    "scoreAnswerSet": (f"scoreAnswerSet(id: $answers) {NODE}", *_both("AnswerSet")),
    "deleteAnswerSet": (f"deleteAnswerSet(id: $answers) {GONE}", *_both("AnswerSet", of="deletedId")),
    "calculateOrsTrajectory": (
        "calculateOrsTrajectory(intake: 20, sessionCount: 3) { remainingRequests }",
        FORBIDDEN,
        FORBIDDEN,
    ),
    "updateItem": (f'updateItem(id: $item, input: {{text: "x"}}) {NODE}', FORBIDDEN, _missing("Item")),
    "cloneItem": (f"cloneItem(id: $item) {NODE}", FORBIDDEN, _missing("Item")),
    "archiveItem": (f"archiveItem(id: $item) {NODE}", FORBIDDEN, _missing("Item")),
    "createItemOption": (
        f'createItemOption(itemId: $item, input: {{text: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("Item", "itemId"),
    ),
    "createItemOptions": (f"createItemOptions(id: $item, input: []) {NODE}", FORBIDDEN, _missing("Item")),
    "updateItemOption": (
        f'updateItemOption(id: $option, input: {{text: "x"}}) {NODE}',
        FORBIDDEN,
        _missing("ItemOption"),
    ),
    "deleteItemOption": (f"deleteItemOption(id: $option) {GONE}", FORBIDDEN, _missing("ItemOption", of="deletedId")),
    "createAssessmentItem": (
        f"createAssessmentItem(assessmentId: $assessment, itemId: $item) {NODE}",
        FORBIDDEN,
        _missing("Assessment", "assessmentId"),
    ),
    "updateAssessmentItem": (
        f"updateAssessmentItem(id: $placed, input: {{position: 3}}) {NODE}",
        FORBIDDEN,
        _missing("AssessmentItem"),
    ),
    "deleteAssessmentItem": (
        f"deleteAssessmentItem(id: $placed) {GONE}",
        FORBIDDEN,
        _missing("AssessmentItem", of="deletedId"),
    ),
    "addItemToScale": (f"addItemToScale(id: $scale, itemId: $item) {NODE}", FORBIDDEN, _missing("Scale")),
    "removeItemFromScale": (f"removeItemFromScale(id: $scale, itemId: $item) {NODE}", FORBIDDEN, _missing("Scale")),
    "updateItemScale": (
        f"updateItemScale(id: $weighed, input: {{isReversed: true}}) {NODE}",
        FORBIDDEN,
        _missing("ItemScale"),
    ),
    "updateTag": (f'updateTag(id: $tag, input: {{name: "x"}}) {NODE}', FORBIDDEN, _missing("Tag")),
    "deleteTag": (f"deleteTag(id: $tag, force: true) {GONE}", FORBIDDEN, _missing("Tag", of="deletedId")),
    **{
        f"{verb}{kind}": (
            f"{verb}{kind}(id: ${kind.lower()}, tagId: $tag) {NODE}",
            FORBIDDEN,
            _missing(kind),
        )
        for verb in ("addTagTo", "removeTagFrom")
        for kind in ("Domain", "Item", "Scale")
    },
    **{
        f"set{kind}Tags": (f"set{kind}Tags(id: ${kind.lower()}, tagIds: [$tag]) {NODE}", FORBIDDEN, _missing(kind))
        for kind in ("Assessment", "Domain", "Item", "Scale")
    },
}
# Mutations that name no row: what they make belongs to whoever asks.
WITHOUT_ROWS = {
    "authenticate": 'authenticate(email: "ben@northfield.example", password: "wrong") { apiToken }',
    "createOrganization": f'createOrganization(input: {{name: "New"}}) {NODE}',
    "createOrganizationForUser": f"createOrganizationForUser {NODE}",
    "createUser": f'createUser(input: {{email: "new@x.example", fullName: "New", password: "long enough"}}) {NODE}',
    "createInvitation": f'createInvitation(input: {{email: "new@x.example"}}) {NODE}',
    "createClient": f'createClient(input: {{fullName: "New"}}) {NODE}',
    "createLabel": f'createLabel(input: {{name: "New"}}) {NODE}',
    "createGroup": f'createGroup(input: {{name: "New"}}) {NODE}',
    "createAssessment": (
        'createAssessment(input: {title: "New", displayTitle: "x", displayDescription: "x", authorName: "x",'
        f' authorDescription: "x", shortDescription: "x", longDescription: "x"}}) {NODE}'
    ),
    "createScale": f'createScale(input: {{name: "New", description: "x", displayName: "x"}}) {NODE}',
    "createDomain": f'createDomain(input: {{name: "New", description: "x", displayName: "x"}}) {NODE}',
    # Nobody reads another organization: one says by its id who joins.
    "createNetworkMember": f'createNetworkMember(organizationId: "") {NODE}',
    "createItem": f'createItem(input: {{text: "New"}}) {NODE}',
    "createTag": f'createTag(input: {{name: "New"}}) {NODE}',
    "signOut": "signOut { errors { code message path } }",
    "createApplication": f'createApplication(input: {{name: "New"}}) {NODE}',
    "createApiKey": f"createApiKey {NODE}",
    "installInstrument": f'installInstrument(key: "phq_2") {NODE}',
    "createCalculatorPlan": (f'createCalculatorPlan(input: {{email: "new@x.example", remainingRequests: 1}}) {NODE}'),
}
# Rows of one's own together with a row of the other organization: which type and argument is not found.
MIXED = {
    f"setClientOwners(id: $kay, userIds: [$other, $user]) {NODE}": ("User", "userIds"),
    f"setClientLabels(id: $kay, labelIds: [$harbor_label, $label]) {NODE}": ("Label", "labelIds"),
    f"setClientGroups(id: $kay, groups: [{{id: $group}}]) {NODE}": ("Group", "groups.0.id"),
    f"addClientToGroup(id: $kay, groupId: $group) {NODE}": ("Group", "groupId"),
    f"removeClientFromGroup(id: $kay, groupId: $group) {NODE}": ("Group", "groupId"),
    f"setUserGroups(id: $other, groupIds: [$group]) {NODE}": ("Group", "groupIds"),
    f"setApplicationGroups(id: $harbor_application, groupIds: [$group]) {NODE}": ("Group", "groupIds"),
    f"setEpisodeLabels(id: $episode, labelIds: [$label]) {NODE}": ("Label", "labelIds"),
    f"addItemToScale(id: $harbor_scale, itemId: $item) {NODE}": ("Item", "itemId"),
    f"removeItemFromScale(id: $harbor_scale, itemId: $item) {NODE}": ("Item", "itemId"),
    f"createAssessmentItem(assessmentId: $harbor_assessment, itemId: $item) {NODE}": ("Item", "itemId"),
    **{
        f"{verb}{kind}(id: $harbor_{kind.lower()}, tagId: $tag) {NODE}": ("Tag", "tagId")
        for verb in ("addTagTo", "removeTagFrom")
        for kind in ("Domain", "Item", "Scale")
    },
    **{
        f"set{kind}Tags(id: $harbor_{kind.lower()}, tagIds: [$harbor_tag, $tag]) {NODE}": ("Tag", "tagIds")
        for kind in ("Assessment", "Domain", "Item", "Scale")
    },
    f"addClientToEpisode(id: $episode, clientId: $ann) {NODE}": ("Client", "clientId"),
    f"removeClientFromEpisode(id: $episode, clientId: $ann) {NODE}": ("Client", "clientId"),
    f'createRater(episodeId: $episode, clientId: $ann, input: {{fullName: "x"}}) {NODE}': ("Client", "clientId"),
    f"createClientOrsScore(sessionId: $harbor_session, clientId: $ann, {LINES}) {NODE}": ("Client", "clientId"),
    f"createClientSrsScore(sessionId: $harbor_session, clientId: $ann, {SRS_LINES}) {NODE}": ("Client", "clientId"),
    f"createRaterOrsScore(sessionId: $harbor_session, raterId: $ann_rater, {LINES}) {NODE}": ("Rater", "raterId"),
    f"createRaterSrsScore(sessionId: $harbor_session, raterId: $ann_rater, {SRS_LINES}) {NODE}": ("Rater", "raterId"),
    **{
        f"{verb}{kind}{to}Assessment(id: $harbor_assessment, {kind.lower()}Id: ${kind.lower()}) {NODE}": (
            kind,
            f"{kind.lower()}Id",
        )
        for verb, to in (("add", "To"), ("remove", "From"))
        for kind in ("Scale", "Domain")
    },
    f"addScaleToDomain(id: $harbor_domain, scaleId: $scale) {NODE}": ("Scale", "scaleId"),
    f"removeScaleFromDomain(id: $harbor_domain, scaleId: $scale) {NODE}": ("Scale", "scaleId"),
    f"updateAssessment(id: $harbor_assessment, input: {{tagIds: [$tag]}}) {NODE}": ("Tag", "input.tagIds"),
    f"updateAssessment(id: $harbor_assessment, input: {{relatedAssessmentIds: [$assessment]}}) {NODE}": (
        "Assessment",
        "input.relatedAssessmentIds",
    ),
}


async def _ids(world: World) -> dict[str, str]:
    """Ids of both towns by the names that the tables use."""
    here, there = await make_northfield(world), await make_harbor(world)
    northfield, harbor = here.ids, there.ids
    return {
        **northfield,
        **here.programs,
        "harbor_application": there.programs["application"],
        "entry": global_id("AuditEvent", 1),
        "user": world.user.id,
        "northfield": global_id("Organization", 1),
        "token": global_id("ApiToken", world.user.row_id),  # each of the world's people has one, in their order
        "other": world.other_user.id,
        "kay": harbor["kay"],
        "episode": harbor["episode"],
        "harbor_session": harbor["session"],
        "harbor_label": harbor["label"],
        **{f"harbor_{one}": harbor[one] for one in ("assessment", "domain", "item", "scale", "tag")},
    }


async def _send(principal: Principal, kind: str, field: str, ids: dict[str, str]) -> Answer:
    """One root field with those ids that it names."""
    used = sorted(set(re.findall(r"\$(\w+)", field)))
    variables = f"({' '.join(f'${name}: ID!' for name in used)})" if used else ""
    return await principal.ask(f"{kind}{variables} {{ result: {field} }}", **{name: ids[name] for name in used})


async def _outcome(principal: Principal, kind: str, field: str, ids: dict[str, str]) -> Any:
    """What came back, or code and message of the refusal."""
    answer = await _send(principal, kind, field, ids)
    if "errors" in answer.body:
        assert answer.body.get("data") in (None, {"result": None})
        return answer.error
    return answer.result


async def _outcomes(principal: Principal, kind: str, fields: dict[str, str], ids: dict[str, str]) -> dict[str, Any]:
    return {name: await _outcome(principal, kind, field, ids) for name, field in fields.items()}


READS = {name: row[0] for name, row in QUERIES.items()}
WRITES = {name: row[0] for name, row in MUTATIONS.items()}


# A file comes by a multipart request: tests/people/test_files.py has its strangers. Strangers may accept invitations,
# with the token: tests/organizations/test_acceptance.py.
ELSEWHERE = {"uploadFile", "acceptInvitation"}


def test_the_tables_name_every_root_field() -> None:
    assert QUERIES.keys() == FIELDS["Query"], "say in QUERIES what strangers get from the new field"
    assert MUTATIONS.keys() | WITHOUT_ROWS.keys() | ELSEWHERE == FIELDS["Mutation"], (
        "say in MUTATIONS what strangers get"
    )


async def test_what_strangers_get_from_queries(world: World) -> None:
    ids = await _ids(world)

    for place, stranger in enumerate((world.colleague, world.other_user, world.other_superuser), 1):
        expected = {name: row[place] for name, row in QUERIES.items()}
        assert await _outcomes(stranger, "query", READS, ids) == expected


async def test_what_nobody_and_the_calculator_get_from_queries(world: World) -> None:
    ids = await _ids(world)

    for principal, refusal in ((world.nobody, UNAUTHENTICATED), (world.calculator, FORBIDDEN)):
        expected = {name: ALSO.get((name, principal.name), refusal) for name in QUERIES}
        assert await _outcomes(principal, "query", READS, ids) == expected


async def test_the_queries_of_the_table_find_something_for_those_who_may(world: World) -> None:
    """Else the table would prove nothing."""
    ids = await _ids(world)
    found = await _outcomes(world.superuser, "query", READS, ids)
    found["apiToken"] = await _outcome(world.user, "query", READS["apiToken"], ids)  # nobody else's

    nothing = {name for name, outcome in found.items() if outcome in (None, EMPTY) or isinstance(outcome, tuple)}
    assert nothing == {"remainingCalculatorRequests", "apiKeys", "openInvitation"}
    assert None not in found["nodes"]


async def test_what_strangers_get_from_mutations(world: World) -> None:
    ids = await _ids(world)
    before = await world.counts()

    for place, stranger in enumerate((world.colleague, world.other_superuser), 1):
        expected = {name: row[place] for name, row in MUTATIONS.items()}
        assert await _outcomes(stranger, "mutation", WRITES, ids) == expected
        assert await world.counts() == before


async def test_what_nobody_and_the_calculator_get_from_mutations(world: World) -> None:
    ids = await _ids(world)
    fields = WRITES | WITHOUT_ROWS
    before = await world.counts()

    assert await _outcomes(world.nobody, "mutation", fields, ids) == dict.fromkeys(fields, UNAUTHENTICATED)
    assert await world.counts() == before

    own = {"authenticate": UNAUTHENTICATED, "calculateOrsTrajectory": {"remainingRequests": 2}}
    expected = {**dict.fromkeys(fields, FORBIDDEN), **own}
    assert await _outcomes(world.calculator, "mutation", fields, ids) == expected
    assert await world.counts() == before


async def test_a_disabled_account_gets_nothing(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=1_000_000)  # there are more fields than wrong attempts allowed
    ids = await _ids(world)
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Membership).where(Membership.user_id == world.user.row_id).values(is_disabled=True))
    before = await world.counts()

    for kind, fields in (("query", READS), ("mutation", WRITES | WITHOUT_ROWS)):
        for field in fields.values():
            answer = await _send(world.user, kind, field, ids)
            assert (answer.status, answer.error) == (401, UNAUTHENTICATED)
            assert "data" not in answer.body
    assert await world.counts() == before


async def test_what_is_made_belongs_to_its_maker_s_organization(world: World) -> None:
    seen = "query($id: ID!) { node(id: $id) { id } }"

    for name in (
        *("createAssessment", "createScale", "createDomain", "installInstrument"),
        "createClient",
        "createLabel",
        "createGroup",
        "createUser",
        "createApplication",
        "createCalculatorPlan",
        "createItem",
        "createTag",
    ):
        made = await _outcome(world.other_superuser, "mutation", WITHOUT_ROWS[name], {})
        assert made["errors"] == []
        assert (await world.other_superuser.ask(seen, **made["node"])).data == {"node": made["node"]}
        assert (await world.superuser.ask(seen, **made["node"])).data == {"node": None}


async def test_a_row_of_ones_own_does_not_open_the_way_to_another_s(world: World) -> None:
    ids = await _ids(world)
    before = await world.counts()

    found = await _outcomes(world.other_superuser, "mutation", {field: field for field in MIXED}, ids)

    assert found == {field: _missing(kind, argument) for field, (kind, argument) in MIXED.items()}
    assert await world.counts() == before


@pytest.mark.parametrize(
    ("name", "seen"),
    [("other_superuser", set()), ("colleague", {"user", "label", "group", "northfield", "location", *CONTENT})],
)
async def test_hidden_and_nonexistent_are_the_same_to_the_byte(world: World, name: str, seen: set[str]) -> None:
    ids = await _ids(world)
    stranger: Principal = getattr(world, name)
    nowhere = {one: global_id((parse_id(text) or ("", 0))[0], 999_999) for one, text in ids.items()}
    nowhere |= {one: ids[one] for one in seen}

    for kind, fields in (("query", READS), ("mutation", WRITES)):
        for field in fields.values():
            hidden = await _send(stranger, kind, field, ids)
            missing = await _send(stranger, kind, field, nowhere)
            assert (hidden.status, hidden.body) == (missing.status, missing.body)
